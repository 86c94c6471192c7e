/** What a role adds to its tokens: a JSON object with `{{identity...}}` and `{{time...}}` in the place of values. */
import { parseDurationSeconds } from '../../../core/duration.ts'
import { BadRequest } from '../../../core/errors.ts'
import { isJsonObject, parseJson, type Json, type JsonObject } from '../../../core/json.ts'
import { parseTemplate, type IdentityFacts } from '../../../core/policy/template.ts'

/** Claims of the token itself. */
const RESERVED_CLAIMS = [
  'iat',
  'aud',
  'exp',
  'iss',
  'sub',
  'namespace',
  'nonce',
  'auth_time',
  'at_hash',
  'c_hash',
] as const

const NOBODY: IdentityFacts = {
  entity: { id: '', name: '', metadata: {}, aliases: [] },
  groups: [],
}
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** The text of a template, which may be sent as base64. */
export function templateText(given: string): string {
  const text = BASE64.test(given) ? Buffer.from(given, 'base64').toString('utf8') : given
  return text.trim()
}

/** @throws {BadRequest} it would make no claims, or claims that are the token's own */
export function checkTemplate(text: string): void {
  const claims = claimsOf(text, NOBODY, 0)
  const reserved = RESERVED_CLAIMS.find((name) => Object.hasOwn(claims, name))
  if (reserved === undefined) return
  throw new BadRequest(
    `top level key "${reserved}" not allowed. Restricted keys: ${RESERVED_CLAIMS.join(', ')}`,
  )
}

/** @throws {BadRequest} what comes out is no JSON object */
export function claimsOf(text: string, identity: IdentityFacts, nowMs: number): JsonObject {
  if (text === '') return {}
  const parts = parseTemplate(text)
  if (parts === undefined) {
    throw new BadRequest('error parsing template: each {{ needs its }}, and holds no other')
  }
  const rendered = parts
    .map((part) =>
      'text' in part ? part.text : JSON.stringify(valueOf(part.reference, identity, nowMs)),
    )
    .join('')
  const claims = parsed(rendered)
  if (isJsonObject(claims)) return claims
  throw new BadRequest('error parsing template JSON: it is to be an object')
}

function parsed(text: string): Json {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new BadRequest(
        'error parsing template JSON: it is to be JSON once each {{...}} stands for a value; they need no quotes',
      )
    }
    throw error
  }
}

/** What is not there is an empty text. @throws {BadRequest} no such thing can be asked for */
function valueOf(reference: string, identity: IdentityFacts, nowMs: number): Json {
  const [kind = '', ...rest] = reference.split('.')
  if (kind === 'time') return timeOf(rest.join('.'), nowMs)
  const [what = '', part = '', ...names] = rest
  if (kind === 'identity' && what === 'entity') return entityValue(identity, part, names)
  throw unknown(reference)
}

function entityValue(
  { entity, groups }: IdentityFacts,
  part: string,
  names: readonly string[],
): Json {
  const [name = '', ...more] = names
  switch (part) {
    case 'id':
    case 'name':
      if (names.length === 0) return entity[part]
      break
    case 'metadata':
      return textOf(entity.metadata, names)
    case 'groups':
      if (more.length === 0 && name === 'ids') return groups.map(({ id }) => id)
      if (more.length === 0 && name === 'names') return groups.map((group) => group.name)
      break
    case 'aliases': {
      const alias = entity.aliases.find(({ mountAccessor }) => mountAccessor === name)
      const [attribute = '', ...keys] = more
      if (attribute === 'id' || attribute === 'name') return alias?.[attribute] ?? ''
      if (attribute === 'metadata') return textOf(alias?.metadata ?? {}, keys)
      if (attribute === 'custom_metadata') return textOf(alias?.customMetadata ?? {}, keys)
      break
    }
    default:
  }
  throw unknown(['identity.entity', part, ...names].join('.'))
}

/** All of them, or the one of that name. */
function textOf(texts: Readonly<Record<string, string>>, names: readonly string[]): Json {
  const name = names.join('.')
  if (name === '') return { ...texts }
  return Object.hasOwn(texts, name) ? (texts[name] ?? '') : ''
}

/** Seconds since 1970: `now`, `now.plus.1h`, `now.minus.30m`. */
function timeOf(text: string, nowMs: number): number {
  const nowSeconds = Math.floor(nowMs / 1000)
  if (text === 'now') return nowSeconds
  const shift = /^now\.(plus|minus)\.(.+)$/.exec(text)
  if (shift === null) throw unknown(`time.${text}`)
  const seconds = parseDurationSeconds(shift[2] ?? '')
  return shift[1] === 'plus' ? nowSeconds + seconds : nowSeconds - seconds
}

function unknown(reference: string): BadRequest {
  return new BadRequest(
    `error parsing template: {{${reference.slice(0, 80)}}} is nothing that is known; there are identity.entity (id, name, metadata, aliases, groups.ids, groups.names) and time.now`,
  )
}
