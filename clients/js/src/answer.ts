/** An answer of the server, and its members by type. */
import { UnexpectedAnswer } from './errors.ts'
import { isObject, type Json, type JsonObject } from './json.ts'

export interface Answer {
  /** As it came. */
  readonly body: JsonObject
  /** Its `data`; empty where there is none. */
  readonly data: JsonObject
  readonly auth: Auth | undefined
  readonly warnings: readonly string[]
}

/** A token that was given out or renewed. */
export interface Auth {
  readonly token: string
  readonly accessor: string
  readonly policies: readonly string[]
  readonly renewable: boolean
  /** 0: it does not end. */
  readonly ttlSeconds: number
  readonly metadata: Readonly<Record<string, string>>
}

export function answerOf(body: JsonObject): Answer {
  const { data, auth, warnings } = body
  return {
    body,
    data: isObject(data) ? data : {},
    auth: isObject(auth) ? authOf(auth) : undefined,
    warnings: textsOf(warnings),
  }
}

function authOf(auth: JsonObject): Auth {
  const metadata = isObject(auth['metadata']) ? auth['metadata'] : {}
  return {
    token: textIn(auth, 'client_token'),
    accessor: optionalText(auth, 'accessor'),
    policies: textsOf(auth['policies']),
    renewable: auth['renewable'] === true,
    ttlSeconds: numberIn(auth, 'lease_duration'),
    metadata: Object.fromEntries(
      Object.keys(metadata).map((name) => [name, optionalText(metadata, name)]),
    ),
  }
}

/** @throws {UnexpectedAnswer} */
export function textIn(object: JsonObject, name: string): string {
  const value = object[name]
  if (typeof value !== 'string') throw new UnexpectedAnswer(`the answer has no text \`${name}\``)
  return value
}

function optionalText(object: JsonObject, name: string): string {
  return typeof object[name] === 'string' ? textIn(object, name) : ''
}

/** @throws {UnexpectedAnswer} */
export function numberIn(object: JsonObject, name: string): number {
  const value = object[name]
  if (typeof value !== 'number') throw new UnexpectedAnswer(`the answer has no number \`${name}\``)
  return value
}

/** @throws {UnexpectedAnswer} */
export function objectIn(object: JsonObject, name: string): JsonObject {
  const value = object[name]
  if (!isObject(value)) throw new UnexpectedAnswer(`the answer has no object \`${name}\``)
  return value
}

/** The texts of a list; none where it is no list. */
export function textsOf(value: Json | undefined): string[] {
  if (!Array.isArray(value)) return []
  const items: readonly Json[] = value
  return items.filter((item) => typeof item === 'string')
}
