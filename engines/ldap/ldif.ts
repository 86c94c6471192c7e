/**
 * LDIF (RFC 2849): what is to be done in a directory, as text. Entries to add, and changes of type add, modify and delete.
 *
 * Values that are read from elsewhere (`attr:< file:///...`) are refused: the text comes from a client, the file would be
 * the server's.
 */
import { BadRequest } from '../../core/errors.ts'
import { decodeBase64 } from '../../core/plugin/base64.ts'

export type LdifValue = string | Buffer

export interface LdifAttribute {
  readonly name: string
  readonly values: LdifValue[]
}

export type LdifRecord =
  | { readonly dn: string; readonly change: 'add'; readonly attributes: readonly LdifAttribute[] }
  | { readonly dn: string; readonly change: 'delete' }
  | {
      readonly dn: string
      readonly change: 'modify'
      readonly modifications: readonly Modification[]
    }

export interface Modification extends LdifAttribute {
  readonly operation: 'add' | 'delete' | 'replace'
}

/** The text is no LDIF, or says what is not done here. Names the record, and repeats nothing of it. */
export class InvalidLdif extends BadRequest {
  override readonly name = 'InvalidLdif'
}

interface Line {
  readonly name: string
  readonly value: LdifValue
}

const MAX_RECORDS = 100
const ATTRIBUTE = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)(?:;[A-Za-z0-9-]+)*$/
/** Ends a part of a modification. */
const DASH = '-'

/** @throws {InvalidLdif} */
export function parseLdif(text: string): LdifRecord[] {
  const records = blocksOf(text).map((lines, index) => recordOf(lines, index + 1))
  if (records.length === 0) throw new InvalidLdif('there is no LDIF record')
  if (records.length > MAX_RECORDS) {
    throw new InvalidLdif(`there are more than ${MAX_RECORDS} LDIF records`)
  }
  return records
}

/** The lines of each record: folded ones joined, comments and the version left out. */
function blocksOf(text: string): string[][] {
  const blocks: string[][] = [[]]
  for (const line of unfolded(text)) {
    if (line === '') blocks.push([])
    else if (!line.startsWith('#')) blocks.at(-1)?.push(line)
  }
  const first = blocks.find((block) => block.length > 0)
  if (first?.[0]?.match(/^version: *1 *$/)) first.shift()
  return blocks.filter((block) => block.length > 0)
}

function unfolded(text: string): string[] {
  const lines: string[] = []
  for (const line of text.split(/\r?\n/)) {
    const last = lines.at(-1)
    if (line.startsWith(' ') && last !== undefined && last !== '') {
      lines[lines.length - 1] = last + line.slice(1)
    } else lines.push(line)
  }
  return lines
}

function recordOf(texts: readonly string[], number: number): LdifRecord {
  const fail = (what: string): never => {
    throw new InvalidLdif(`LDIF record ${number}: ${what}`)
  }
  const lines = texts.map((text) => (text === DASH ? DASH : lineOf(text, fail)))
  const [first, second] = lines
  const dn = first === undefined || first === DASH || first.name !== 'dn' ? '' : first.value
  if (typeof dn !== 'string' || dn === '') return fail('it begins with `dn: ` and a name')
  const isChange = second !== undefined && second !== DASH && second.name === 'changetype'
  const change = isChange ? String(second.value) : 'add'
  const rest = lines.slice(isChange ? 2 : 1)
  switch (change) {
    case 'add':
      return { dn, change, attributes: attributesOf(rest, fail) }
    case 'delete':
      if (rest.length > 0) fail('nothing comes after `changetype: delete`')
      return { dn, change }
    case 'modify':
      return { dn, change, modifications: modificationsOf(rest, fail) }
    default:
      return fail('changetype is add, modify or delete')
  }
}

type Fail = (what: string) => never

/** `name: text`, or `name:: base64`. */
function lineOf(text: string, fail: Fail): Line {
  const at = text.indexOf(':')
  const name = text.slice(0, at)
  if (at < 1 || !ATTRIBUTE.test(name)) return fail('a line is an attribute, a colon and a value')
  const sent = text.slice(at + 1)
  if (sent.startsWith('<')) return fail('values are not read from elsewhere (`:<`)')
  if (!sent.startsWith(':')) return { name: canonical(name), value: sent.replace(/^ +/, '') }
  const bytes = decodeBase64(sent.slice(1).trim())
  if (typeof bytes === 'number') return fail('after `::` comes base64')
  return { name: canonical(name), value: textOrBytes(name, bytes) }
}

/** The names that LDIF itself knows, in any case. */
const OWN_NAMES = new Set(['dn', 'changetype', 'control', 'add', 'delete', 'replace'])
const canonical = (name: string) => (OWN_NAMES.has(name.toLowerCase()) ? name.toLowerCase() : name)

/** A name may be sent in base64 for its accents; it is text all the same. */
function textOrBytes(name: string, bytes: Buffer): LdifValue {
  return canonical(name) === 'dn' ? bytes.toString('utf8') : bytes
}

function attributesOf(lines: readonly (Line | typeof DASH)[], fail: Fail): LdifAttribute[] {
  const attributes = new Map<string, LdifAttribute>()
  for (const line of lines) {
    if (line === DASH) return fail('a `-` belongs to changetype modify')
    if (line.name === 'control') return fail('controls are not sent')
    const key = line.name.toLowerCase()
    const found = attributes.get(key) ?? { name: line.name, values: [] }
    found.values.push(line.value)
    attributes.set(key, found)
  }
  if (attributes.size === 0) return fail('an entry has attributes')
  return [...attributes.values()]
}

function modificationsOf(lines: readonly (Line | typeof DASH)[], fail: Fail): Modification[] {
  const modifications: Modification[] = []
  let open: Modification | undefined
  for (const line of lines) {
    if (line === DASH) open = undefined
    else if (open === undefined) {
      open = beginningOf(line, fail)
      modifications.push(open)
    } else if (line.name.toLowerCase() === open.name.toLowerCase()) open.values.push(line.value)
    else return fail('a modification has values of the attribute that it names, and ends with `-`')
  }
  if (modifications.length === 0) return fail('changetype modify has a modification')
  return modifications
}

function beginningOf({ name, value }: Line, fail: Fail): Modification {
  if (name !== 'add' && name !== 'delete' && name !== 'replace') {
    return fail('a modification begins with `add: `, `delete: ` or `replace: `')
  }
  if (typeof value !== 'string' || !ATTRIBUTE.test(value)) {
    return fail(`after \`${name}: \` comes an attribute`)
  }
  return { operation: name, name: value, values: [] }
}
