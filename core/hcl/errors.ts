/**
 * What is wrong with a text of HCL or JSON, and where.
 */
export interface Position {
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 code units. */
  readonly column: number
}

/** The text cannot be read. Says what was expected there, never what the text holds. */
export class HclError extends Error {
  override readonly name = 'HclError'
  readonly line: number
  readonly column: number
  /** Without the place, which `message` has before it. */
  readonly what: string

  constructor(at: Position, what: string) {
    super(`At ${at.line}:${at.column}: ${what}`)
    this.line = at.line
    this.column = at.column
    this.what = what
  }
}
