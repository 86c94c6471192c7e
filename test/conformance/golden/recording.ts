/**
 * The recordings as data: AREA.json, read and checked once.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isJsonObject, parseJson, type Json, type JsonObject } from '../../../core/json.ts'

export interface Scenario {
  readonly area: string
  readonly name: string
  /** The server that it starts on: not initialised, audit devices not through the API, open rekey. */
  readonly init: boolean
  readonly apiAudit: boolean
  readonly legacyRekey: boolean
  /** Something outside that it needs, such as a database. */
  readonly needs: string | undefined
  readonly steps: readonly Step[]
}

export type Step = RequestStep | Pause

export interface Pause {
  readonly kind: 'pause'
  readonly waitMs: number
}

export interface RequestStep {
  readonly kind: 'request'
  readonly n: number
  readonly method: string
  readonly path: string
  /** undefined: the root token; null: none. */
  readonly token: string | null | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body: Json | undefined
  readonly bodyText: string | undefined
  readonly save: Readonly<Record<string, string>>
  /** Variables that are made before it is sent (`compute.ts`). */
  readonly compute: JsonObject
  readonly repeatUntilStatus: number | undefined
  readonly repeatUntilMatch: string | undefined
  readonly unordered: boolean
  /** undefined: the server closes the connection without an answer. */
  readonly status: number | undefined
  readonly responseHeaders: Readonly<Record<string, string | null>>
  readonly response: Json | undefined
  readonly responseText: string | undefined
  /** Keys of a step that this runner does not know how to play. */
  readonly unknown: readonly string[]
}

export class BadRecording extends Error {
  override readonly name = 'BadRecording'
}

const KNOWN_KEYS = new Set(
  [
    'n name note differs method path token headers body body_text save unordered status response',
    'repeat_until_status repeat_until_match response_headers response_text compute',
  ].flatMap((keys) => keys.split(' ')),
)

export function readArea(area: string): readonly Scenario[] {
  const file = parseJson(readFileSync(join(import.meta.dirname, `${area}.json`), 'utf8'))
  return objects(field(file, 'scenarios')).map((scenario) => parseScenario(area, scenario))
}

function parseScenario(area: string, scenario: JsonObject): Scenario {
  const server = isJsonObject(scenario['server']) ? scenario['server'] : {}
  return {
    area,
    name: string(scenario, 'scenario'),
    init: server['init'] !== false,
    apiAudit: server['apiAudit'] !== false,
    legacyRekey: server['legacyRekey'] === true,
    needs: typeof scenario['needs'] === 'string' ? scenario['needs'] : undefined,
    steps: objects(scenario['steps']).map(parseStep),
  }
}

function parseStep(step: JsonObject): Step {
  const waitMs = step['wait_ms']
  if (typeof waitMs === 'number') return { kind: 'pause', waitMs }
  return {
    kind: 'request',
    n: number(step, 'n'),
    method: string(step, 'method'),
    path: string(step, 'path'),
    token: step['token'] === null ? null : optionalString(step, 'token'),
    headers: strings(step['headers']),
    body: step['body'],
    bodyText: optionalString(step, 'body_text'),
    save: strings(step['save']),
    compute: isJsonObject(step['compute']) ? step['compute'] : {},
    repeatUntilStatus: optionalNumber(step, 'repeat_until_status'),
    repeatUntilMatch: optionalString(step, 'repeat_until_match'),
    unordered: step['unordered'] === true,
    status: optionalNumber(step, 'status'),
    responseHeaders: stringsOrNulls(step['response_headers']),
    response: step['response'],
    responseText: optionalString(step, 'response_text'),
    unknown: Object.keys(step).filter((key) => !KNOWN_KEYS.has(key)),
  }
}

function field(value: Json, name: string): Json | undefined {
  return isJsonObject(value) ? value[name] : undefined
}

export function objects(value: Json | undefined): readonly JsonObject[] {
  if (!Array.isArray(value)) throw new BadRecording('a list is missing')
  const items: readonly Json[] = value
  return items.filter(isJsonObject)
}

export function string(object: JsonObject, name: string): string {
  const value = object[name]
  if (typeof value !== 'string') throw new BadRecording(`${name} is no string`)
  return value
}

export function optionalString(object: JsonObject, name: string): string | undefined {
  const value = object[name]
  return typeof value === 'string' ? value : undefined
}

export function number(object: JsonObject, name: string): number {
  const value = object[name]
  if (typeof value !== 'number') throw new BadRecording(`${name} is no number`)
  return value
}

function optionalNumber(object: JsonObject, name: string): number | undefined {
  const value = object[name]
  return typeof value === 'number' ? value : undefined
}

export function strings(value: Json | undefined): Readonly<Record<string, string>> {
  const entries = Object.entries(stringsOrNulls(value))
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null))
}

export function stringsOrNulls(value: Json | undefined): Readonly<Record<string, string | null>> {
  const entries = isJsonObject(value) ? Object.entries(value) : []
  return Object.fromEntries(
    entries.filter(
      (entry): entry is [string, string | null] =>
        entry[1] === null || typeof entry[1] === 'string',
    ),
  )
}
