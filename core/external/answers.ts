/** What a plugin's process answers, checked: the shapes of the contract that may come from outside of the server. */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { Conclude, SecretRenewal } from '../plugin/effects.ts'
import type { Handled } from '../plugin/path.ts'
import type { Renewal, UpgradeResult } from '../plugin/plugin.ts'
import { BadAnswer } from './failures.ts'

const texts = z.array(z.string())
const textMap = z.record(z.string(), z.string())
const seconds = z.number().int().nonnegative()
/** It was parsed from JSON, so whatever is in it is JSON. */
const jsonObject = z.custom<JsonObject>(isJsonObject, 'it is no object')

const grantSchema = z.object({
  displayName: z.string(),
  policies: texts,
  metadata: textMap.exactOptional(),
  type: z.enum(['service', 'batch']),
  ttlSeconds: seconds,
  maxTtlSeconds: seconds,
  explicitMaxTtlSeconds: seconds,
  periodSeconds: seconds,
  numUses: seconds,
  boundCidrs: texts,
  renewable: z.boolean(),
  noDefaultPolicy: z.boolean(),
  internal: jsonObject.exactOptional(),
  alias: z.object({ name: z.string().min(1), metadata: textMap.exactOptional() }).exactOptional(),
})

const secretSchema = z.object({
  type: z.string(),
  internal: jsonObject,
  ttlSeconds: seconds,
  maxTtlSeconds: seconds,
  renewable: z.boolean(),
})

const effectSchema = z.object({
  type: z.string(),
  internal: jsonObject,
  leased: z.boolean().exactOptional(),
  /** Names in the plugin's process what is to be done. */
  act: z.uuid(),
})

const rawSchema = z.object({
  contentType: z.string(),
  /** Bytes are in Base64. */
  body: z.union([z.string(), z.object({ base64: z.base64() })]),
})

const responseSchema = z.object({
  data: jsonObject.nullable().exactOptional(),
  warnings: texts.exactOptional(),
  auth: grantSchema.exactOptional(),
  secret: secretSchema.exactOptional(),
  effect: effectSchema.exactOptional(),
  leaseDurationSeconds: seconds.exactOptional(),
  status: z.number().int().min(200).max(599).exactOptional(),
  headers: textMap.exactOptional(),
  raw: rawSchema.exactOptional(),
  bare: jsonObject.exactOptional(),
  wrapTtlSeconds: seconds.exactOptional(),
  wrappedAccessor: z.string().exactOptional(),
})

const refusedSchema = z.object({ refused: z.string() })
const secretLimits = z.object({ ttlSeconds: seconds, maxTtlSeconds: seconds })
const limits = z.object({
  ttlSeconds: seconds,
  maxTtlSeconds: seconds,
  periodSeconds: seconds,
})

/**
 * hot: a handler's response; nothing: 204 or 404.
 *
 * @param act has done what the plugin calls so
 * @throws {BadAnswer}
 */
export function readResponse(
  value: unknown,
  act: (name: string, signal: AbortSignal) => Promise<Conclude>,
): Handled {
  if (value === null || value === undefined) return undefined
  const { raw, effect, ...response } = read(responseSchema, value)
  if (raw === undefined && effect === undefined) return response
  return {
    ...response,
    ...(raw !== undefined && { raw: bodyOf(raw) }),
    ...(effect !== undefined && {
      effect: { ...effect, act: (signal: AbortSignal) => act(effect.act, signal) },
    }),
  }
}

function bodyOf({ contentType, body }: z.infer<typeof rawSchema>) {
  return {
    contentType,
    body: typeof body === 'string' ? body : Buffer.from(body.base64, 'base64'),
  }
}

/** @throws {BadAnswer} */
export function readSecretRenewal(value: unknown): SecretRenewal {
  return read(z.union([secretLimits, refusedSchema]), value)
}

/** @throws {BadAnswer} */
export function readName(value: unknown): string {
  return read(z.uuid(), value)
}

/** @throws {BadAnswer} */
export function readRole(value: unknown): string | undefined {
  return read(z.string().nullish(), value) ?? undefined
}

/** @throws {BadAnswer} */
export function readRenewal(value: unknown): Renewal {
  return read(z.union([limits, refusedSchema]), value)
}

/** @throws {BadAnswer} */
export function readUpgrade(value: unknown): UpgradeResult {
  return read(z.object({ warnings: texts }), value)
}

/** @throws {BadAnswer} */
export function readFlag(value: unknown): boolean {
  return read(z.boolean(), value)
}

/** @throws {BadAnswer} which place does not fit; never the value */
export function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new BadAnswer(placesOf(parsed.error))
}

/** Where what a plugin said does not fit, without the values. */
export function placesOf({ issues }: z.ZodError): string {
  const places = issues.slice(0, 5).map(({ path, message }) => `${path.join('.')}: ${message}`)
  return places.join('; ')
}
