/**
 * How a command shows its results: on standard output in the format asked for; warnings and advice on standard error.
 */
import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { Program } from '../cli/program.ts'
import type { Terminal } from '../cli/terminal.ts'
import { UsageProblem } from '../cli/failure.ts'
import { listedKeys } from '../client/secret.ts'
import type { Secret } from '../client/secret.ts'
import { goValue } from './go-value.ts'
import { jsonText } from './json.ts'
import type { Printable } from './printable.ts'
import { cellText, dataRows, secretField, secretMembers, secretRows } from './secret.ts'
import { tableText } from './table.ts'
import { wrapIndented, wrapText } from './wrap.ts'

export const FORMATS = ['table', 'json', 'yaml', 'yml', 'pretty', 'raw'] as const
export type Format = (typeof FORMATS)[number]

export interface Printer {
  readonly format: Format
  /** A line of the result. */
  line(text: string): void
  /** A line for the person, on standard error. */
  warn(text: string): void
  /** What a person may do next; scripts written for `vault` and `bao` never see it. */
  advise(text: string): void
  /** Any data: a table where it is an object or a list of names. */
  data(value: Printable): void
  secret(secret: Secret | undefined): void
  /** A list answer: its names, in order. */
  list(secret: Secret, options: { detailed: boolean }): void
  /** The server's warnings, in table format only: the others show them in the data. */
  warnings(secret: Secret): void
  /** One field of a secret, with no newline after it unless a person reads it. */
  field(secret: Secret, name: string): void
  /** The same of plain data. */
  fieldOf(data: JsonObject, name: string): void
  /** A value that a program reads: no newline after it unless a person reads it. */
  value(text: string): void
}

export async function printerFor(
  terminal: Terminal,
  format: Format,
  program: Program,
): Promise<Printer> {
  const line = (text: string): void => terminal.out(`${text}\n`)
  const warn = (text: string): void => terminal.err(`${text}\n`)
  const isTable = format === 'table'
  const plainOutput = isTable || format === 'raw'

  const structuredText = await writerOf(format)
  const structured = (value: Printable): void => line(structuredText(value))
  const rows = (pairs: readonly (readonly string[])[]): void => {
    if (pairs.length > 0) line(tableText([['Key', 'Value'], ...pairs]))
  }
  const value = (text: string): void => terminal.out(terminal.stdoutIsTerminal ? `${text}\n` : text)

  const fieldText = (found: Printable): string =>
    plainOutput ? goValue(found) : structuredText(found) + (format === 'json' ? '' : '\n')

  const printer: Printer = {
    format,
    line,
    warn,
    value,
    advise(text) {
      const forPerson = terminal.stderrIsTerminal || program.command === 'keyhold'
      if (isTable && forPerson) warn(wrapText(text))
    },
    data(data) {
      if (!isTable) structured(data)
      else if (Array.isArray(data)) line(tableText(data.map((item) => [goValue(item)])))
      else rows(mapRows(data))
    },
    secret(secret) {
      if (secret === undefined) return
      if (!isTable) return structured(secretMembers(secret))
      printer.warnings(secret)
      rows(secretRows(secret))
    },
    list(secret, { detailed }) {
      const keys = listedKeys(secret) ?? []
      if (!isTable) return structured(detailed ? secretMembers(secret) : keys)
      printer.warnings(secret)
      if (keys.length > 0)
        line(tableText(listRows(keys, detailed ? secret.data?.['key_info'] : null)))
    },
    warnings({ warnings }) {
      if (!isTable || warnings.length === 0) return
      warn(`WARNING! The following warnings were returned from ${program.server}:\n`)
      for (const warning of warnings) warn(`${wrapIndented(`* ${warning}`, 2)}\n`)
    },
    field(secret, name) {
      const found = present(name, secretField(secret, name))
      printer.warnings(secret)
      value(fieldText(found))
    },
    fieldOf(data, name) {
      const found = present(name, Object.hasOwn(data, name) ? data[name] : undefined)
      value(fieldText(found))
    },
  }
  return printer
}

function present(name: string, found: Printable | undefined): Printable {
  if (found === undefined || found === null)
    throw new UsageProblem(`Field ${JSON.stringify(name)} not present in secret`)
  return found
}

/** YAML's writer is the largest module of the command line: loaded where it is used. */
async function writerOf(format: Format): Promise<(value: Printable) => string> {
  if (format === 'json') return jsonText
  if (format === 'yaml' || format === 'yml') return (await import('./yaml.ts')).yamlText
  return () => {
    throw new UsageProblem(
      `Could not parse output: cannot use the ${format} format for this answer`,
    )
  }
}

function mapRows(data: Printable): readonly (readonly string[])[] {
  if (data instanceof Map)
    return [...data.entries()].map(([key, value]) => [String(key), cellText(String(key), value)])
  return isJsonObject(data) ? dataRows(data) : [['value', goValue(data)]]
}

/** The names in order; with what `key_info` tells of each, where that was asked for. */
function listRows(
  keys: readonly Json[],
  keyInfo: Json | undefined,
): readonly (readonly string[])[] {
  const names = keys.map(goValue).sort()
  const info = isJsonObject(keyInfo) ? keyInfo : {}
  const facts = names.map((name) => info[name] ?? null)
  const titles = [
    ...new Set(facts.flatMap((fact) => (isJsonObject(fact) ? Object.keys(fact) : []))),
  ].sort()
  return [
    ['Keys', ...titles],
    ...names.map((name, at) => [
      name,
      ...titles.map((title) => factText(facts[at] ?? null, title)),
    ]),
  ]
}

function factText(fact: Json, title: string): string {
  const value = isJsonObject(fact) ? fact[title] : undefined
  return value === undefined ? '' : cellText(title, value)
}
