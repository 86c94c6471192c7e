/** Reads the connection details of a configuration: what a client sent for the database itself, kept as it was sent. */
import { InvalidDuration, parseDurationSeconds } from '../../core/duration.ts'
import { BadRequest, FieldError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import { boolean, integer, string, type Field } from '../../core/plugin/fields.ts'
import type { PoolLimits } from './database.ts'

const DEFAULT_MAX_OPEN = 4
const MOST_CONNECTIONS = 1000

/** Never goes back to a client. */
export const HIDDEN_DETAILS = [
  'password',
  'private_key',
  'tls_certificate_key',
  'service_account_json',
] as const

export function textDetail(details: JsonObject, name: string): string {
  return detail(details, name, string('').default(''))
}

export function booleanDetail(details: JsonObject, name: string): boolean {
  return detail(details, name, boolean('').default(false))
}

export function integerDetail(details: JsonObject, name: string): number {
  return detail(details, name, integer('').default(0))
}

function detail<T>(details: JsonObject, name: string, field: Field<T>): T {
  const given = details[name] ?? field.facts.defaultValue ?? ''
  try {
    return field.parse(name, given)
  } catch (error) {
    if (error instanceof FieldError) throw new BadRequest(error.message)
    throw error
  }
}

/** `max_open_connections`, `max_idle_connections`, `max_connection_lifetime`. @throws {BadRequest} */
export function poolLimits(details: JsonObject): PoolLimits {
  const maxOpen = integerDetail(details, 'max_open_connections') || DEFAULT_MAX_OPEN
  if (maxOpen < 0 || maxOpen > MOST_CONNECTIONS) {
    throw new BadRequest(`max_open_connections is from 1 to ${MOST_CONNECTIONS}; 0 is the default`)
  }
  const maxIdle = integerDetail(details, 'max_idle_connections') || maxOpen
  return {
    maxOpen,
    maxIdle: Math.max(0, Math.min(maxIdle, maxOpen)),
    maxLifetimeMs: lifetimeSeconds(details) * 1000,
  }
}

function lifetimeSeconds(details: JsonObject): number {
  const given = textDetail(details, 'max_connection_lifetime')
  try {
    return Math.max(0, parseDurationSeconds(given))
  } catch (error) {
    if (!(error instanceof InvalidDuration)) throw error
    throw new BadRequest(`invalid max_connection_lifetime: ${error.message}`)
  }
}

const USERNAME = '{{username}}'
const PASSWORD = '{{password}}'

/** The connection string, or its templates, and the login that stands in the templates' place. */
export interface ConnectionUrl {
  readonly url: string
  readonly username: string
  readonly password: string
  /** The string has places for both, so that they can be changed. */
  readonly isTemplate: boolean
}

/** @throws {BadRequest} */
export function connectionUrl(details: JsonObject): ConnectionUrl {
  const url = textDetail(details, 'connection_url')
  const username = textDetail(details, 'username')
  const password = textDetail(details, 'password')
  if (url === '') throw new BadRequest('connection_url cannot be empty')
  if ([USERNAME, PASSWORD].some((one) => username.includes(one) || password.includes(one))) {
    throw new BadRequest('username and/or password cannot contain the template variables')
  }
  return { url, username, password, isTemplate: url.includes(USERNAME) || url.includes(PASSWORD) }
}

/** The connection string with the login in its places. @param escape how each is written there */
export function fillUrl(
  { url, username, password }: ConnectionUrl,
  escape: { username(text: string): string; password(text: string): string },
): string {
  return url
    .replaceAll(USERNAME, () => escape.username(username))
    .replaceAll(PASSWORD, () => escape.password(password))
}
