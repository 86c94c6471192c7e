/**
 * cli.json as data, and the comparison of what a command printed with what was recorded.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isJsonObject, parseJson, type JsonObject } from '../../../core/json.ts'
import { matchText, type Variables } from './placeholders.ts'
import { number, objects, optionalString, string, strings, stringsOrNulls } from './recording.ts'

export interface Group {
  readonly name: string
  readonly state: string
  readonly runs: readonly Run[]
}

export interface Run {
  readonly argv: readonly string[]
  /** null: unset. */
  readonly env: Readonly<Record<string, string | null>>
  readonly files: Readonly<Record<string, string>>
  readonly tokenFile: string | undefined
  readonly stdin: string
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
  readonly firstLineOnly: boolean
}

export function readTranscript(): readonly Group[] {
  const file = parseJson(readFileSync(join(import.meta.dirname, 'cli.json'), 'utf8'))
  return objects(isJsonObject(file) ? file['groups'] : undefined).map((group) => ({
    name: string(group, 'group'),
    state: string(group, 'state'),
    runs: objects(group['runs']).map(parseRun),
  }))
}

function parseRun(run: JsonObject): Run {
  return {
    argv: Object.values(strings(Object.fromEntries(Object.entries(run['argv'] ?? [])))),
    env: stringsOrNulls(run['env']),
    files: strings(run['files']),
    tokenFile: optionalString(run, 'token_file'),
    stdin: optionalString(run, 'stdin') ?? '',
    exit: number(run, 'exit'),
    stdout: string(run, 'stdout'),
    stderr: string(run, 'stderr'),
    firstLineOnly: run['first_line_only'] === true,
  }
}

export interface Printed {
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
}

/** @param variables takes the values that the recorded output names for the first time */
export function printedDifferences(
  run: Run,
  printed: Printed,
  variables: Map<string, string>,
): string[] {
  return [
    ...(printed.exit === run.exit ? [] : [`exit: recorded ${run.exit}, got ${printed.exit}`]),
    ...streamDifferences('stdout', run, printed.stdout, variables),
    ...streamDifferences('stderr', run, printed.stderr, variables),
  ]
}

function streamDifferences(
  stream: 'stdout' | 'stderr',
  run: Run,
  actual: string,
  variables: Map<string, string>,
): string[] {
  const shown = (text: string) => fold(run.firstLineOnly ? (text.split('\n')[0] ?? '') : text)
  const captured = matchOutput(shown(run[stream]), shown(actual), variables)
  if (captured === undefined)
    return [`${stream}: recorded ${show(run[stream])}\n    got ${show(actual)}`]
  for (const [name, value] of captured) variables.set(name, value)
  return []
}

function matchOutput(
  expected: string,
  actual: string,
  variables: Variables,
): Map<string, string> | undefined {
  return matchText(looseTtl(expected), looseTtl(actual), variables, { captures: true })
}

/** Columns are as wide as the values of that day, and so are the lines under and beside their titles. */
function fold(text: string): string {
  return text
    .replace(/[ \t]+/g, ' ')
    .replace(/ $/gm, '')
    .replace(/-{2,}/g, '--')
    .replace(/={2,}/g, '==')
    .trimEnd()
}

/** A remaining time was recorded as it was: how long the recorder took. */
function looseTtl(text: string): string {
  return text.replace(/^( ?"?ttl"?:? )(?!0)\S+$/gm, '$1TTL')
}

function show(text: string): string {
  return JSON.stringify(text.length > 600 ? `${text.slice(0, 600)}…` : text)
}
