/** Batches: the items of a request, each done by itself, and the status of all (contract: engines-core.md, 2.3). */
import { setImmediate } from 'node:timers/promises'
import { systemClock } from '../../core/clock.ts'
import { BadRequest, RequestError } from '../../core/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { goType } from '../../core/plugin/fields.ts'
import type { Response } from '../../core/plugin/response.ts'

/** One item, its members checked; those that were not sent are `undefined`. */
export interface BatchItem {
  text(name: string): string | undefined
  /** A member that is no text. */
  value(name: string): Json | undefined
  readonly keyVersion: number
  readonly reference: string
}

/** For so long nothing else is answered; then others have their turn. */
const TURN_MS = 10
const PARSE_FAILED = 'failed to parse batch input: '
const VERSION = /^[+-]?\d{1,10}$/

/**
 * @param required the member that each item has to have, and what is said where it has not
 * @throws {BadRequest} it is no list of such objects; none of them is done then
 */
export function readBatch(
  input: Json,
  required?: { readonly name: string; readonly missing: string },
): BatchItem[] {
  if (!Array.isArray(input)) {
    throw new BadRequest(
      `${PARSE_FAILED}source data must be an array or slice, got ${goType(input)}`,
    )
  }
  const items: readonly Json[] = input
  if (items.length === 0) throw new BadRequest('missing batch input to process')
  return items.map((item, index) => {
    if (!isJsonObject(item)) {
      throw new BadRequest(`${PARSE_FAILED}[${index}] expected a map, got '${goType(item)}'`)
    }
    if (required !== undefined && !Object.hasOwn(item, required.name)) {
      throw new BadRequest(`${PARSE_FAILED}'[${index}].${required.name}' ${required.missing}`)
    }
    return readItem(item, index, required?.name)
  })
}

function readItem(item: JsonObject, index: number, required: string | undefined): BatchItem {
  const text = (name: string): string | undefined => {
    const value = item[name]
    if (value === undefined || (value === null && name !== required)) return undefined
    if (typeof value === 'string') return value
    throw new BadRequest(
      `${PARSE_FAILED}'[${index}].${name}' expected type 'string', got unconvertible type '${value === null ? '<nil>' : goType(value)}'`,
    )
  }
  if (required !== undefined) text(required)
  return {
    text,
    value: (name) => item[name] ?? undefined,
    keyVersion: versionOf(item['key_version'], index),
    reference: text('reference') ?? '',
  }
}

function versionOf(value: Json | undefined, index: number): number {
  if (value === undefined || value === null) return 0
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (VERSION.test(text)) return Number(text)
  throw new BadRequest(
    `${PARSE_FAILED}'[${index}].key_version' expected type 'int', got unconvertible type '${goType(value)}'`,
  )
}

/** @throws {BadRequest} some items name a context and some do not */
export function demandSameContexts(items: readonly BatchItem[]): void {
  const given = items.filter((item) => (item.text('context') ?? '') !== '').length
  if (given !== 0 && given !== items.length) {
    throw new BadRequest('context should be set either in all the request blocks or in none')
  }
}

/** What became of one item. */
export type ItemResult = Readonly<Record<string, unknown>>

/** Does each item; one that fails takes nothing from the others. */
export async function eachItem(
  items: readonly BatchItem[],
  work: (item: BatchItem) => Promise<ItemResult> | ItemResult,
  failed: ItemResult = {},
): Promise<{ results: ItemResult[]; failures: number }> {
  const results: ItemResult[] = []
  let failures = 0
  let turnEndsMs = systemClock.monotonicMs() + TURN_MS
  for (const item of items) {
    if (systemClock.monotonicMs() > turnEndsMs) {
      await setImmediate()
      turnEndsMs = systemClock.monotonicMs() + TURN_MS
    }
    const { reference } = item
    try {
      results.push({ ...(await work(item)), reference })
    } catch (error) {
      if (!(error instanceof RequestError)) throw error
      failures++
      results.push({ ...failed, error: error.message, reference })
    }
  }
  return { results, failures }
}

/**
 * The answer to a batch whose failures show in the status.
 *
 * @param override status where some items failed and some did not; `undefined`: none was asked for
 */
export function batchResponse(
  { results, failures }: { results: readonly ItemResult[]; failures: number },
  override: number | undefined,
): Response {
  const data = { batch_results: results }
  if (failures === 0) return { data }
  if (override === undefined || failures === results.length) return { data, status: 400 }
  if (override < 1 || override > 599) return { data, status: 400, warnings: [NO_STATUS] }
  return { data, status: override }
}

const NO_STATUS =
  'invalid HTTP response code override from partial_failure_response_code, reverting to 400'
