/**
 * Questions to a parsed text: its blocks by label, its plain values.
 */
import type { HclObject, HclValue } from './ast.ts'
import { HclError, type Position } from './errors.ts'

export interface HclBlock {
  readonly labels: readonly string[]
  readonly at: Position
  readonly body: HclObject
}

/**
 * All blocks `key "label"... { }` with so many labels, in order. What JSON (and HCL, if one likes) writes as objects
 * or lists of objects, `{"key": {"label": {}}}` or `{"key": [{"label": {}}]}`, counts too.
 *
 * @throws {HclError} something of that key is no block, or has another number of labels
 */
export function blocksOf(object: HclObject, key: string, labelCount: number): readonly HclBlock[] {
  const blocks: HclBlock[] = []
  for (const item of object.items) {
    if (item.key === key) collect(item.value, item.labels, item.at)
  }
  return blocks

  function collect(value: HclValue, labels: readonly string[], at: Position): void {
    if (labels.length > labelCount)
      throw new HclError(at, `expected ${labelCount} labels before the block`)
    if (value.kind === 'list') {
      for (const one of value.items) collect(one, labels, one.at)
    } else if (value.kind !== 'object') {
      throw new HclError(value.at, 'expected a block { ... }')
    } else if (labels.length === labelCount) {
      blocks.push({ labels, at, body: value })
    } else {
      for (const item of value.items)
        collect(item.value, [...labels, item.key, ...item.labels], item.at)
    }
  }
}

export type Plain =
  | null
  | boolean
  | number
  | string
  | readonly Plain[]
  | { readonly [key: string]: Plain }

/** The value without places. Labels become levels; of repeated keys the last counts. */
export function plainOf(value: HclValue): Plain {
  if (value.kind === 'null') return null
  if (value.kind === 'list') return value.items.map(plainOf)
  if (value.kind !== 'object') return value.value
  return Object.fromEntries(
    value.items.map((item) => [
      item.key,
      item.labels.reduceRight(
        (inner: Plain, label) => Object.fromEntries([[label, inner]]),
        plainOf(item.value),
      ),
    ]),
  )
}
