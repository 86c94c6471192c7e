/** Which tokens are meant: by what is known of each, all conditions together. Stored with a recall, so it is data. */
import { z } from 'zod'
import { matchesGlob } from '../glob.ts'
import type { TokenRecord } from './record.ts'

const filterSchema = z
  .object({
    /** Has one of these. */
    policies: z.array(z.string()).readonly().optional(),
    /** The role that granted it. */
    role: z.string().optional(),
    /** The auth mount that granted it, by its uuid. */
    mountUuid: z.string().optional(),
    /** The path that granted it; `*` for any text. */
    path: z.string().optional(),
    entityId: z.string().optional(),
    type: z.enum(['service', 'batch']).optional(),
    orphan: z.boolean().optional(),
    /** Times in milliseconds; `after` is strictly later, `before` strictly earlier. */
    createdAfterMs: z.number().optional(),
    createdBeforeMs: z.number().optional(),
    expiresAfterMs: z.number().optional(),
    expiresBeforeMs: z.number().optional(),
    /** Whether it has no end at all. */
    neverExpires: z.boolean().optional(),
  })
  .readonly()

export type TokenFilter = z.infer<typeof filterSchema>
export const tokenFilter = filterSchema

export function matchesFilter(filter: TokenFilter, record: TokenRecord): boolean {
  return (
    (filter.type === undefined || filter.type === record.type) &&
    (filter.orphan === undefined || filter.orphan === (record.parent === '')) &&
    (filter.mountUuid === undefined || filter.mountUuid === record.mountUuid) &&
    (filter.entityId === undefined || filter.entityId === record.entityId) &&
    (filter.role === undefined || filter.role === roleOf(record)) &&
    (filter.path === undefined || matchesGlob(filter.path, record.path)) &&
    (filter.policies === undefined ||
      filter.policies.some((name) => record.policies.includes(name))) &&
    isBetween(record.createdAtMs, filter.createdAfterMs, filter.createdBeforeMs) &&
    endsAsAsked(filter, record)
  )
}

function endsAsAsked(filter: TokenFilter, { expiresAtMs }: TokenRecord): boolean {
  const { expiresAfterMs, expiresBeforeMs, neverExpires } = filter
  if (neverExpires !== undefined && neverExpires !== (expiresAtMs === null)) return false
  if (expiresAfterMs === undefined && expiresBeforeMs === undefined) return true
  return expiresAtMs !== null && isBetween(expiresAtMs, expiresAfterMs, expiresBeforeMs)
}

function isBetween(ms: number, after: number | undefined, before: number | undefined): boolean {
  return (after === undefined || ms > after) && (before === undefined || ms < before)
}

/** Whoever creates a token may write what they like into `meta`; only what a login puts there names a role. */
const MADE_BY_HAND = 'auth/token/'

/** The role that a token came from: of auth/token, or what the auth method says of its login. */
export function roleOf(record: TokenRecord): string | undefined {
  if (record.path.startsWith(MADE_BY_HAND)) return record.role
  return record.meta?.['role_name'] ?? record.meta?.['role']
}
