/**
 * Rate limits as they are stored: one record with all of them and the settings that they share, so that a request of a
 * server without any looks at one cached record and goes on.
 */
import { z } from 'zod'
import { kind } from '../store/kind.ts'
import { targetFields } from './target.ts'
import type { View } from '../store/view.ts'

const rateLimitSchema = z
  .object({
    name: z.string(),
    ...targetFields,
    /** Requests of one client in an interval; more than 0. */
    rate: z.number(),
    intervalSeconds: z.number(),
    /** How long a client that passed the limit is refused; 0: until the interval is over. */
    blockSeconds: z.number(),
  })
  .readonly()
export type RateLimit = z.infer<typeof rateLimitSchema>

const settingsSchema = z
  .object({
    /** Relative to any namespace; what lies below them is exempt too. With `*` at its end: all that begins so. */
    exemptPaths: z.array(z.string()).readonly(),
    /** Whether refused requests are audited. */
    auditRefused: z.boolean(),
    /** Whether answers tell what is left. */
    responseHeaders: z.boolean(),
  })
  .readonly()
export type QuotaSettings = z.infer<typeof settingsSchema>

const quotasSchema = z
  .object({ settings: settingsSchema, rateLimits: z.array(rateLimitSchema).readonly() })
  .readonly()
export type Quotas = z.infer<typeof quotasSchema>

export const quotaRecords = kind('quotas', quotasSchema)
export const QUOTAS_KEY = 'core/quotas'

/** Of a whole server: they are one record, which each node parses anew when one changes. */
export const MAX_RATE_LIMITS = 4096

const NO_QUOTAS: Quotas = {
  settings: {
    exemptPaths: [
      'sys/generate-recovery-token/attempt',
      'sys/generate-recovery-token/update',
      'sys/generate-root/attempt',
      'sys/generate-root/update',
      'sys/health',
      'sys/seal-status',
      'sys/unseal',
    ],
    auditRefused: false,
    responseHeaders: false,
  },
  rateLimits: [],
}

export async function readQuotas(root: View): Promise<Quotas> {
  return (await root.get(quotaRecords, QUOTAS_KEY)) ?? NO_QUOTAS
}

export function writeQuotas(root: View, quotas: Quotas): void {
  root.put(quotaRecords, QUOTAS_KEY, quotas)
}

/** In the place of the one of that name, if there is one. */
export async function putRateLimit(root: View, limit: RateLimit): Promise<void> {
  const quotas = await readQuotas(root)
  const others = quotas.rateLimits.filter(({ name }) => name !== limit.name)
  writeQuotas(root, { ...quotas, rateLimits: [...others, limit] })
}

/** Removes those that `isGone` names; nothing is written where it names none. */
export async function removeRateLimits(
  root: View,
  isGone: (limit: RateLimit) => boolean,
): Promise<void> {
  const quotas = await readQuotas(root)
  const left = quotas.rateLimits.filter((limit) => !isGone(limit))
  if (left.length < quotas.rateLimits.length) writeQuotas(root, { ...quotas, rateLimits: left })
}
