/** What goes wrong with a database, in words for who runs it. */
import { listed, NothingDone, RequestError } from '../../core/errors.ts'

/** The database refused something, or did not answer. */
export class DatabaseError extends RequestError {
  override readonly name = 'DatabaseError'
  /** The database's own code, such as an SQLSTATE; empty: it said nothing. */
  readonly code: string
  /** Without the list around it. */
  readonly text: string

  constructor(status: 400 | 502, text: string, { code = '' }: { readonly code?: string } = {}) {
    super(status, listed(text))
    this.text = text
    this.code = code
  }
}

/** It could not be reached, or the connection broke: worth another attempt. */
export function unreachable(text: string): DatabaseError {
  return new DatabaseError(502, text)
}

/** It understood and refused: somebody has to change something. */
export function refused(text: string, code = ''): DatabaseError {
  return new DatabaseError(400, text, { code })
}

/** The same failure, where certainly nothing is left of what was tried. */
export function nothingDone(error: DatabaseError): NothingDone {
  return new NothingDone(error.status, error.message)
}

/** The same failure with words before it. */
export function prefixed(before: string, error: DatabaseError): DatabaseError {
  return new DatabaseError(error.status === 400 ? 400 : 502, before + error.text, error)
}

/** A text of the database without the secrets that stood in what it was sent. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '[password]')
  return clean
}
