/** What a plugin's process answers, checked: the shapes of the contract that may come from outside of the server. */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../json.ts'
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

const rawSchema = z.object({
  contentType: z.string(),
  /** Bytes are in Base64. */
  body: z.union([z.string(), z.object({ base64: z.base64() })]),
})

const responseSchema = z.object({
  data: jsonObject.nullable().exactOptional(),
  warnings: texts.exactOptional(),
  auth: grantSchema.exactOptional(),
  leaseDurationSeconds: seconds.exactOptional(),
  status: z.number().int().min(200).max(599).exactOptional(),
  headers: textMap.exactOptional(),
  raw: rawSchema.exactOptional(),
  bare: jsonObject.exactOptional(),
  wrapTtlSeconds: seconds.exactOptional(),
  wrappedAccessor: z.string().exactOptional(),
})

const limits = z.object({
  ttlSeconds: seconds,
  maxTtlSeconds: seconds,
  periodSeconds: seconds,
})

/** A handler's response; nothing: 204 or 404. @throws {BadAnswer} */
export function readResponse(value: unknown): Handled {
  if (value === null || value === undefined) return undefined
  const { raw, ...response } = read(responseSchema, value)
  if (raw === undefined) return response
  const body = typeof raw.body === 'string' ? raw.body : Buffer.from(raw.body.base64, 'base64')
  return { ...response, raw: { contentType: raw.contentType, body } }
}

/** @throws {BadAnswer} */
export function readRenewal(value: unknown): Renewal {
  return read(z.union([limits, z.object({ refused: z.string() })]), value)
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
