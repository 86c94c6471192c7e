/**
 * Which foreign or recorded cases do not pass, and why. The list may only shrink: a case that fails must be on it with
 * its reason, and a case that passes must have left it.
 *
 * UPDATE_EXPECTATIONS=1 writes the list anew (known reasons are kept) and a report of what differs; see the README.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isJsonObject, parseJson } from '../../core/json.ts'

export interface CaseResult {
  readonly id: string
  /** What was done, for the report. */
  readonly title: string
  /** Empty: it passed. */
  readonly failures: readonly string[]
}

/** Stands where a person has yet to write the reason; a list with it is refused. */
const NO_REASON = 'REASON MISSING'
const REPORTS = join(import.meta.dirname, '../../.cache/conformance')

export class Expectations {
  readonly #file: string
  readonly #reasons: ReadonlyMap<string, string>
  readonly #results = new Map<string, CaseResult>()

  constructor(file: string) {
    this.#file = file
    this.#reasons = readReasons(file)
  }

  /**
   * @returns what is wrong: cases that fail without being listed, that pass though listed, that have no reason.
   * Nothing while the list is being written anew.
   */
  check(results: readonly CaseResult[]): string[] {
    for (const result of results) this.#results.set(result.id, result)
    return isUpdating() ? [] : results.flatMap((result) => this.#judge(result))
  }

  #judge(result: CaseResult): string[] {
    const reason = this.#reasons.get(result.id)
    const failed = result.failures.length > 0
    if (failed && reason === undefined) return [describe(result)]
    if (failed && reason === NO_REASON)
      return [`${result.id}: is listed as failing without a reason`]
    if (!failed && reason !== undefined) return [`${result.id}: passes now, take it off the list`]
    return []
  }

  /**
   * Call when the cases were checked: finds entries of cases that do not exist, or writes the list anew.
   *
   * @param ids of all cases there are, also those that this run left out
   */
  finish(ids: readonly string[]): string[] {
    if (isUpdating()) {
      this.#write(ids)
      return []
    }
    const known = new Set(ids)
    return [...this.#reasons.keys()]
      .filter((id) => !known.has(id))
      .map((id) => `${id}: is listed but does not exist`)
  }

  #write(ids: readonly string[]): void {
    const fails = (id: string) => {
      const result = this.#results.get(id)
      return result === undefined ? this.#reasons.has(id) : result.failures.length > 0
    }
    const failed = [...this.#results.values()].filter((result) => result.failures.length > 0)
    const entries = ids.filter(fails).map((id) => [id, this.#reasons.get(id) ?? NO_REASON])
    writeFileSync(this.#file, `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`)
    mkdirSync(REPORTS, { recursive: true })
    const report = failed.map(
      (result) => `${describe(result)}\n  reason: ${this.#reasons.get(result.id) ?? NO_REASON}\n`,
    )
    writeFileSync(join(REPORTS, reportName(this.#file)), report.join('\n'))
  }
}

function describe({ id, title, failures }: CaseResult): string {
  return [`${id}  ${title}`, ...failures.map((failure) => `  ${failure}`)].join('\n')
}

function readReasons(file: string): ReadonlyMap<string, string> {
  const value = existsSync(file) ? parseJson(readFileSync(file, 'utf8')) : {}
  const entries = isJsonObject(value) ? Object.entries(value) : []
  return new Map(
    entries.map(([id, reason]) => [id, typeof reason === 'string' ? reason : NO_REASON]),
  )
}

function isUpdating(): boolean {
  return process.env['UPDATE_EXPECTATIONS'] === '1'
}

/** `golden/expectations.json` -> `golden-expectations.txt` */
function reportName(file: string): string {
  const folder = dirname(file).split('/').at(-1) ?? ''
  return `${folder}-${file.split('/').at(-1) ?? ''}`.replace(/\.json$/, '.txt')
}
