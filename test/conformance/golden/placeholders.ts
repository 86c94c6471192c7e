/**
 * Expected texts of the recordings: literal text with placeholders anywhere, as the README beside this file lists them.
 */
export type Variables = ReadonlyMap<string, string>

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const BASE64 = '[A-Za-z0-9+/_-]+={0,2}'
const WORD = '[^\\s"]+'
const REST_OF_LINE = '[^\\n]*'
const ANYTHING = '[\\s\\S]*'

/** Regular expressions of the values that a placeholder stands for. */
const VALUES: Readonly<Record<string, string>> = {
  uuid: UUID,
  // RFC 3339, or as a command line prints it: `2026-01-02 03:04:05.6 +0000 UTC`.
  time: '\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?(?:Z|[+-]\\d\\d:\\d\\d| [+-]\\d{4} UTC)',
  unix: '\\d{9,11}',
  int: '-?\\d+',
  'http-date': '[A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT',
  date: REST_OF_LINE,
  // Also an id that the creator chose.
  token: '[A-Za-z0-9._-]{8,}',
  // Secret-id accessors are UUIDs; a child namespace's accessors end in its id.
  accessor: `(?:[A-Za-z0-9]{24}(?:\\.[A-Za-z0-9]+)?|${UUID})`,
  hex8: '[0-9a-f]{8}',
  id26: '[A-Za-z0-9]{26}',
  id32: '[A-Za-z0-9]{32}',
  'ns-id': '[A-Za-z0-9]{6}',
  'lease-id': '[A-Za-z0-9]{24}(?:\\.[A-Za-z0-9]+)?',
  b64: BASE64,
  'der-b64': BASE64,
  'eab-key': BASE64,
  key: `(?:${BASE64}|-----BEGIN [A-Z ]+-----\\n(?:[A-Za-z0-9+/=]+\\n)+-----END [A-Z ]+-----\\n?)`,
  png: BASE64,
  hex: 'h?[0-9a-f]+',
  random: WORD,
  otp: WORD,
  code: '\\d+',
  password: '[^\\n]+',
  base32: '[A-Z2-7]+=*',
  hmac: 'hmac-sha256:[0-9a-f]{64}',
  jwt: '[\\w-]+\\.[\\w-]+\\.[\\w-]+',
  'ssh-key': REST_OF_LINE,
  serial: '[0-9a-f]{2}(?:[:-][0-9a-f]{2})+',
  secret: REST_OF_LINE,
  dbuser: WORD,
  addr: '[\\w.:\\[\\]-]+:\\d+',
  dir: '/[^\\s"]*?',
  host: WORD,
  text: ANYTHING,
  'first-line': REST_OF_LINE,
  any: ANYTHING,
}

/** Placeholders that, alone, stand for a value of any type. */
const ANY_TYPE = new Set(['<any>', '<list>', '<list of accessors>', '<openapi>', '<text>'])
/** Placeholders that, alone, stand for a number. */
const NUMBER = /^<(?:unix|int|ttl:\d+)>$/
/** How much less than recorded a remaining time may be: what a busy machine needs for a scenario. */
const TTL_SLACK_SECONDS = 30

/** The recorded server's version (last in `PART`) stands for any version. */
const ANY_VERSION = '\\d+\\.\\d+\\.\\d+(?:[-+][\\w.]+)?'

const PART =
  /\$\{(?<variable>\w+)\}|<ttl:(?<ttl>\d+)>|<pem:(?<pem>[A-Z0-9 ]+)>|<(?<name>[a-z0-9-]+)>|2\.6\.2(?:\+builtin\.bao)?/g

export class MissingVariable extends Error {
  override readonly name = 'MissingVariable'
  readonly variable: string

  constructor(variable: string) {
    super(`\${${variable}} has no value`)
    this.variable = variable
  }
}

export function standsForAnyType(expected: string): boolean {
  return ANY_TYPE.has(expected)
}

export function standsForNumber(expected: string): boolean {
  return NUMBER.test(expected)
}

/**
 * @param captures true: a variable without a value takes it from here (a transcript saves its values so)
 * @returns the captured values if the text fits, else undefined
 * @throws {MissingVariable} a variable without a value, and no `captures`
 */
export function matchText(
  expected: string,
  actual: string,
  variables: Variables,
  { captures = false } = {},
): Map<string, string> | undefined {
  const pattern = compile(expected, variables, captures)
  const groups = pattern.regexp.exec(actual)?.groups
  if (groups === undefined) return undefined
  const ttlsFit = pattern.ttls.every((recorded, i) =>
    isALittleLess(Number(groups[`ttl${i}`]), recorded),
  )
  if (!ttlsFit) return undefined
  return new Map(pattern.captured.map((variable) => [variable, groups[variable] ?? '']))
}

interface Pattern {
  readonly regexp: RegExp
  readonly captured: readonly string[]
  readonly ttls: readonly number[]
}

function compile(expected: string, variables: Variables, captures: boolean): Pattern {
  const captured = new Set<string>()
  const ttls: number[] = []
  let source = ''
  let end = 0
  for (const part of expected.matchAll(PART)) {
    source += RegExp.escape(expected.slice(end, part.index))
    end = part.index + part[0].length
    const { variable, ttl, pem, name } = part.groups ?? {}
    if (variable !== undefined) {
      source += variablePattern(variable, variables, captures ? captured : undefined)
    } else if (ttl !== undefined) {
      source += `(?<ttl${ttls.push(Number(ttl)) - 1}>\\d+)`
    } else if (pem !== undefined) {
      source += `-----BEGIN ${pem}-----\\n[A-Za-z0-9+/=\\n]+-----END ${pem}-----`
    } else if (name !== undefined) {
      source += VALUES[name] ?? RegExp.escape(part[0])
    } else {
      source += ANY_VERSION
    }
  }
  // The empty named group makes `groups` exist on every match.
  const regexp = new RegExp(`^(?<all>)${source}${RegExp.escape(expected.slice(end))}$`)
  return { regexp, captured: [...captured], ttls }
}

function variablePattern(
  variable: string,
  variables: Variables,
  captured: Set<string> | undefined,
): string {
  const value = variables.get(variable)
  if (value !== undefined) return RegExp.escape(value)
  if (captured === undefined) throw new MissingVariable(variable)
  if (captured.has(variable)) return `\\k<${variable}>`
  captured.add(variable)
  return `(?<${variable}>${WORD})`
}

function isALittleLess(value: number, recorded: number): boolean {
  return value <= recorded && value >= recorded - TTL_SLACK_SECONDS
}

/** Puts the values of variables into a text that is sent. */
export function substitute(text: string, variables: Variables): string {
  return text.replace(/\$\{(\w+)\}/g, (_whole, variable: string) => {
    const value = variables.get(variable)
    if (value === undefined) throw new MissingVariable(variable)
    return value
  })
}
