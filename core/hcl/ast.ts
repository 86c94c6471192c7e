/**
 * What a text of HCL says, with the place of each part, so that a later check can name the line.
 */
import type { Position } from './errors.ts'

export type HclValue = HclString | HclNumber | HclBoolean | HclNull | HclList | HclObject

export interface HclString {
  readonly kind: 'string'
  readonly at: Position
  /** Unescaped; of a heredoc the lines with their ends. */
  readonly value: string
}

export interface HclNumber {
  readonly kind: 'number'
  readonly at: Position
  readonly value: number
  /** As written: integers beyond 2^53 do not fit `value`. */
  readonly text: string
}

export interface HclBoolean {
  readonly kind: 'boolean'
  readonly at: Position
  readonly value: boolean
}

/** In JSON only. */
export interface HclNull {
  readonly kind: 'null'
  readonly at: Position
}

export interface HclList {
  readonly kind: 'list'
  readonly at: Position
  readonly items: readonly HclValue[]
}

export interface HclObject {
  readonly kind: 'object'
  readonly at: Position
  /** In the order of the text; keys may repeat. */
  readonly items: readonly HclItem[]
}

/** `key = value`, or `key "label" { ... }`. */
export interface HclItem {
  readonly key: string
  readonly at: Position
  readonly labels: readonly string[]
  /** Where its `=` or `:` stands; a block has none. */
  readonly assignedAt: Position | undefined
  readonly value: HclValue
}
