/** `@keyhold/client`: all that a program imports. */
export type { Answer, Auth } from './answer.ts'
export type { Logins, TokenInfo } from './auth.ts'
export type { BatchResult } from './batch.ts'
export { Client, type ClientOptions } from './client.ts'
export {
  InvalidArgument,
  KeyholdError,
  NoAnswer,
  ResponseError,
  UnexpectedAnswer,
} from './errors.ts'
export type { Json, JsonObject } from './json.ts'
export type { Kv1 } from './kv1.ts'
export type { Kv2, Metadata, MetadataSettings, Value, Version } from './kv2.ts'
export type { Renewal, RenewalEnd } from './renewal.ts'
export type { Fetch, Method, Wanted } from './send.ts'
export type {
  CiphertextItem,
  Circumstances,
  DataKey,
  Encrypted,
  PlaintextItem,
  SignOptions,
  Transit,
} from './transit.ts'
export type { Context } from './envelope/context.ts'
export { EnvelopeDecrypter, type DecrypterOptions } from './envelope/decrypter.ts'
export { EnvelopeEncrypter, type EncrypterOptions, type KeyLimits } from './envelope/encrypter.ts'
export { MalformedEnvelope, NotAuthentic, OtherEnvelope } from './envelope/errors.ts'
export type { Source } from './envelope/source.ts'
