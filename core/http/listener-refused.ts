/**
 * A listener cannot be opened, or not reloaded: what is wrong, and what the operator can do about it.
 */
export class ListenerRefused extends Error {
  override readonly name = 'ListenerRefused'
  /** What to do. */
  readonly hint: string

  constructor(text: string, hint: string, options: { cause?: unknown } = {}) {
    super(text, options)
    this.hint = hint
  }
}

/** The code of an error of the operating system or of node; empty where it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : ''
}
