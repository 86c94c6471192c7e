/**
 * `data` of a request or answer as JSON for the log: every string and every run of bytes hashed, at any depth, each
 * element of a list by itself. Keys, numbers, booleans, null and times (`Date`) stay as they are, keys are sorted.
 */
import { rfc3339 } from '../clock.ts'
import { flat, quote, sortedKeys } from '../json.ts'
import type { SaltedHash } from './salted-hash.ts'

export interface DataRules {
  /** `undefined`: nothing is hashed (`log_raw`). */
  readonly hash: SaltedHash | undefined
  /** Strings whose nearest key is one of these are not hashed, as Vault's `audit_non_hmac_*_keys`. */
  readonly clearKeys: ReadonlySet<string> | undefined
  /** The texts of objects under these keys are not hashed. */
  readonly clearObjects: ReadonlySet<string> | undefined
  /**
   * Texts of objects that cannot change, such as stored records, which are read again and again; used where no key is
   * cleared. They hold hashes only.
   */
  readonly ofFrozen: WeakMap<object, string>
  /** The answer of a listing: top-level `keys` and `key_info` become their counts. */
  readonly elide: boolean
}

export type Members = Readonly<Record<string, unknown>>

/** hot: the JSON object, `{}` if nothing is in it. */
export function dataText(data: Members, rules: DataRules): string {
  return rules.elide ? objectText(withoutLists(data), rules) : objectText(data, rules)
}

function objectText(object: Members, rules: DataRules): string {
  let members = ''
  for (const key of sortedKeys(object)) {
    const text = valueText(object[key], key, rules)
    if (text === undefined) continue
    members += members === '' ? `${quote(key)}:${text}` : `,${quote(key)}:${text}`
  }
  return `{${members}}`
}

function listText(items: readonly unknown[], key: string, rules: DataRules): string {
  let list = ''
  for (let i = 0; i < items.length; i++) {
    const text = valueText(items[i], key, rules) ?? 'null'
    list += i === 0 ? text : `,${text}`
  }
  return `[${list}]`
}

/** `undefined` for what JSON has no form for. Never calls a `toJSON`: only what is looked at here gets out. */
function valueText(value: unknown, key: string, rules: DataRules): string | undefined {
  switch (typeof value) {
    case 'string':
      return stringText(value, key, rules)
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null'
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'object':
      return value === null ? 'null' : structureText(value, key, rules)
    default:
      return undefined
  }
}

function stringText(value: string, key: string, { hash, clearKeys }: DataRules): string {
  return hash === undefined || clearKeys?.has(key) === true ? quote(value) : `"${hash.of(value)}"`
}

function structureText(value: object, key: string, rules: DataRules): string {
  if (Array.isArray(value)) return listText(value, key, rules)
  if (isPlain(value)) {
    return rules.clearObjects?.has(key) ? clearText(value, rules) : plainText(value, rules)
  }
  if (JSON.isRawJSON(value)) return value.rawJSON
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? 'null' : `"${rfc3339(value.getTime())}"`
  if (ArrayBuffer.isView(value)) {
    return bytesText(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), rules)
  }
  if (value instanceof ArrayBuffer) return bytesText(new Uint8Array(value), rules)
  return objectText({ ...value }, rules)
}

function isPlain(value: object): value is Members {
  return Object.getPrototypeOf(value) === Object.prototype
}

/** Its own texts alone: what lies deeper is hashed as all else is. */
function clearText(object: Members, rules: DataRules): string {
  const deeper = { ...rules, clearObjects: undefined }
  const members = sortedKeys(object).flatMap((key) => {
    const value = object[key]
    const text = typeof value === 'string' ? quote(value) : valueText(value, key, deeper)
    return text === undefined ? [] : [`${quote(key)}:${text}`]
  })
  return `{${members.join(',')}}`
}

function plainText(value: Members, rules: DataRules): string {
  if (rules.hash === undefined || rules.clearKeys !== undefined || !Object.isFrozen(value)) {
    return objectText(value, rules)
  }
  let text = rules.ofFrozen.get(value)
  if (text === undefined) {
    text = flat(objectText(value, rules))
    rules.ofFrozen.set(value, text)
  }
  return text
}

/** The hash of the bytes themselves; in the raw log base64, as Go prints bytes. Never in the clear by key. */
function bytesText(bytes: Uint8Array, { hash }: DataRules): string {
  return hash === undefined ? `"${Buffer.from(bytes).toString('base64')}"` : `"${hash.of(bytes)}"`
}

function withoutLists(data: Members): Members {
  const shown: Record<string, unknown> = { ...data }
  const { keys, key_info: keyInfo } = data
  if (Array.isArray(keys)) shown['keys'] = keys.length
  if (typeof keyInfo === 'object' && keyInfo !== null)
    shown['key_info'] = Object.keys(keyInfo).length
  return shown
}
