/**
 * What the server says to a plugin's process, which checks it as the server checks what a plugin says (`messages.ts`).
 */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { RenewedGrant } from '../plugin/plugin.ts'
import type { RenewedSecret } from '../plugin/effects.ts'
import type { Caller, Mount, Namespace } from '../plugin/request.ts'
import { DECLARABLE } from '../plugin/path.ts'

/** Rises when a message changes its meaning. */
export const PROTOCOL = 1
/** What a plugin says of a failure that is its own: enough of a stack to find the place. */
export const MAX_STACK_CHARACTERS = 4096

const number = z.number()
const text = z.string()
const texts = z.array(text).readonly()
const textMap = z.record(text, text)
/** It was parsed from JSON, so whatever is in it is JSON. */
const jsonObject = z.custom<JsonObject>(isJsonObject, 'it is no object')

const mountSchema = z.object({
  uuid: text,
  path: text,
  type: text,
  accessor: text,
  options: textMap,
  defaultTtlSeconds: number,
  maxTtlSeconds: number,
  tokenType: z.enum(['default-service', 'default-batch', 'service', 'batch']),
  lockout: z.object({
    disable: z.boolean(),
    threshold: number,
    durationSeconds: number,
    counterResetSeconds: number,
  }),
}) satisfies z.ZodType<Mount>

const callerSchema = z.object({
  tokenType: z.enum(['service', 'batch']),
  accessor: text,
  policies: texts,
  displayName: text,
  entityId: text,
  role: text,
  namespaceId: text,
}) satisfies z.ZodType<Caller>

const namespaceSchema = z.object({ id: text, path: text }) satisfies z.ZodType<Namespace>

/** A request on the wire: all but the token, the storage and the randomness, which the plugin's process has of its own. */
const requestSchema = z.object({
  id: text,
  operation: z.enum([...DECLARABLE, 'help']),
  path: text,
  nameFolded: z.boolean(),
  body: jsonObject,
  mount: mountSchema,
  namespace: namespaceSchema,
  caller: callerSchema.optional(),
  wrapTtlSeconds: number,
  client: z.object({
    address: text,
    port: number,
    /** DER, in Base64. */
    certificates: texts.optional(),
  }),
  headers: z.array(z.tuple([text, text]).readonly()).readonly(),
  nowMs: number,
})
export type SentRequest = Readonly<z.infer<typeof requestSchema>>

const grantSchema = z.object({
  policies: texts,
  metadata: textMap,
  internal: jsonObject,
}) satisfies z.ZodType<RenewedGrant>

const secretSchema = z.object({
  leaseId: text,
  internal: jsonObject,
  issuedAtMs: number,
  incrementSeconds: number,
}) satisfies z.ZodType<RenewedSecret>

/** The mount's option of that name. */
const version = text.optional()

const handled = {
  version,
  /** The same for both calls of one request: what the first one read, the second one knows. */
  session: number,
  /** Index of the declared path. */
  path: number,
  operation: requestSchema.shape.operation,
  request: requestSchema,
  input: jsonObject,
}

/** What a plugin is asked to do. */
const workSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('describe'), version }),
  z.object({ do: z.literal('exists'), ...handled }),
  z.object({ do: z.literal('run'), ...handled }),
  z.object({ do: z.literal('initialize'), version, nowMs: number }),
  z.object({ do: z.literal('periodic'), version, nowMs: number }),
  z.object({ do: z.literal('upgrade'), version, nowMs: number, from: textMap }),
  z.object({ do: z.literal('renew'), version, request: requestSchema, grant: grantSchema }),
  z.object({ do: z.literal('loginRole'), version, path: text, body: jsonObject }),
  /** What an earlier answer said that has to be done outside, by the name that it gave it. */
  z.object({ do: z.literal('act'), version, act: text }),
  z.object({ do: z.literal('conclude'), version, conclude: text, nowMs: number }),
  z.object({
    do: z.literal('undo'),
    version,
    effect: text,
    internal: jsonObject,
    mount: mountSchema,
    nowMs: number,
  }),
  z.object({
    do: z.literal('removed'),
    version,
    effect: text,
    internal: jsonObject,
    nowMs: number,
  }),
  z.object({
    do: z.literal('renewSecret'),
    version,
    effect: text,
    request: requestSchema,
    secret: secretSchema,
  }),
])
export type Work = Readonly<z.infer<typeof workSchema>>

const call = number
/** Numbers a question about the storage within the call. */
const ask = number

export const fromServer = z.discriminatedUnion('say', [
  z.object({
    say: z.literal('call'),
    call,
    work: workSchema,
    /** Records that it will probably read, with their texts. */
    known: z.array(z.tuple([text, text.nullable()]).readonly()).readonly(),
  }),
  z.object({ say: z.literal('record'), call, ask, text: text.nullable() }),
  z.object({ say: z.literal('names'), call, ask, names: texts }),
  z.object({ say: z.literal('refused'), call, ask }),
  /** Nobody waits for it any more. */
  z.object({ say: z.literal('cancel'), call }),
  z.object({ say: z.literal('ping') }),
])
export type FromServer = Readonly<z.infer<typeof fromServer>>
