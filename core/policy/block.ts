/**
 * Reads the keys of one block of a policy, each checked for its type.
 */
import { InvalidDuration, parseDurationSeconds } from '../duration.ts'
import { listed } from '../errors.ts'
import type { HclItem, HclObject, HclValue } from '../hcl/ast.ts'
import { plainOf, type Plain } from '../hcl/read.ts'
import { InvalidPolicy } from './errors.ts'

const INTEGER = /^\d{1,9}$/

export class PolicyBlock {
  readonly #body: HclObject
  readonly #label: string

  /**
   * @param label what stands before error texts, such as `path "x"`; may be empty
   * @throws {InvalidPolicy} a key that is not among `keys`, or one twice that is not among `repeatable`
   */
  constructor(
    label: string,
    body: HclObject,
    keys: readonly string[],
    repeatable: readonly string[] = [],
  ) {
    this.#label = label
    this.#body = body
    const unknown = body.items.filter(({ key }) => !keys.includes(key))
    if (unknown.length > 0) throw new InvalidPolicy(this.#unknownKeys(unknown), unknown[0]?.at.line)
    for (const [index, { key, at }] of body.items.entries()) {
      const first = body.items.findIndex((item) => item.key === key)
      if (first !== index && !repeatable.includes(key))
        throw this.error(`${key} is set twice`, at.line)
    }
  }

  error(what: string, line?: number): InvalidPolicy {
    return new InvalidPolicy(this.#label === '' ? what : `${this.#label}: ${what}`, line)
  }

  /** The line is that of the `=`, and 0 for a block: so the texts are on the wire. */
  #unknownKeys(items: readonly HclItem[]): string {
    const label = this.#label === '' ? '' : `${this.#label}: `
    return listed(
      ...items.map(
        ({ key, assignedAt }) =>
          `${label}invalid key ${quoted(key)} on line ${assignedAt?.line ?? 0}`,
      ),
    )
  }

  get(key: string): HclValue | undefined {
    const item = this.#body.items.find((one) => one.key === key)
    if (item !== undefined && item.labels.length > 0)
      throw this.error(`${key} takes no label`, item.at.line)
    return item?.value
  }

  text(key: string): string | undefined {
    const value = this.get(key)
    if (value === undefined) return undefined
    if (value.kind !== 'string') throw this.error(`${key} must be a string`, value.at.line)
    return value.value
  }

  boolean(key: string): boolean {
    const value = this.get(key)
    if (value === undefined) return false
    if (value.kind !== 'boolean') throw this.error(`${key} must be true or false`, value.at.line)
    return value.value
  }

  /** Not negative. */
  integer(key: string): number {
    const value = this.get(key)
    if (value === undefined) return 0
    const text = value.kind === 'number' ? value.text : value.kind === 'string' ? value.value : ''
    if (!INTEGER.test(text)) throw this.error(`${key} must be a whole number`, value.at.line)
    return Number(text)
  }

  strings(key: string): readonly string[] {
    const value = this.get(key)
    if (value === undefined) return []
    if (value.kind !== 'list') throw this.error(`${key} must be a list of strings`, value.at.line)
    return value.items.map((one) => {
      if (one.kind !== 'string') throw this.error(`${key} must be a list of strings`, one.at.line)
      return one.value
    })
  }

  /** Not negative; 0 where it is absent. */
  seconds(key: string): number {
    const value = this.get(key)
    if (value === undefined) return 0
    const text =
      value.kind === 'number' ? value.text : value.kind === 'string' ? value.value : undefined
    if (text === undefined) throw this.error(`${key} must be a duration`, value.at.line)
    const seconds = secondsOf(text)
    if (seconds === undefined || seconds < 0) {
      throw new InvalidPolicy(
        `error parsing ${key}: time: invalid duration ${quoted(text)}`,
        value.at.line,
      )
    }
    return seconds
  }

  /** A map of lists, its names in lower case, as parameters are compared. */
  lists(key: string): ReadonlyMap<string, readonly Plain[]> {
    const lists = new Map<string, readonly Plain[]>()
    const value = this.get(key)
    if (value === undefined) return lists
    if (value.kind !== 'object')
      throw this.error(`${key} must map names to lists of values`, value.at.line)
    for (const item of value.items) {
      const name = item.key.toLowerCase()
      if (item.value.kind !== 'list' || item.labels.length > 0) {
        throw this.error(`${key} must map names to lists of values`, item.at.line)
      }
      if (lists.has(name)) throw this.error(`${key} names one parameter twice`, item.at.line)
      lists.set(name, item.value.items.map(plainOf))
    }
    return lists
  }
}

function secondsOf(text: string): number | undefined {
  try {
    return parseDurationSeconds(text)
  } catch (error) {
    if (error instanceof InvalidDuration) return undefined
    throw error
  }
}

/** As Go's `%q`. */
export function quoted(text: string): string {
  return JSON.stringify(text)
}
