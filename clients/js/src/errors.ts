/** What can go wrong between a program and its server. No text holds a token, a key or what was sent. */
import type { JsonObject } from './json.ts'

/** Any of the below, and of the envelope's. */
export class KeyholdError extends Error {
  override readonly name: string = 'KeyholdError'
}

/** The server answered with an error status. */
export class ResponseError extends KeyholdError {
  override readonly name = 'ResponseError'
  readonly status: number
  /** What the server says of it; may be empty. */
  readonly errors: readonly string[]
  /** The whole answer, where it is a JSON object: batches tell there which of their items failed. */
  readonly body: JsonObject | undefined

  constructor(asked: string, status: number, body: JsonObject | undefined) {
    const listed = body?.['errors']
    const errors = Array.isArray(listed) ? listed.map(String) : []
    super(`${asked}: status ${status}${errors.length === 0 ? '' : `: ${errors.join('; ')}`}`)
    this.status = status
    this.errors = errors
    this.body = body
  }
}

/** No answer came: nothing listens there, the certificate is not trusted, or it took too long; `cause` says which. */
export class NoAnswer extends KeyholdError {
  override readonly name = 'NoAnswer'

  constructor(asked: string, cause: unknown) {
    const why = cause instanceof Error ? reasonOf(cause) : 'the connection failed'
    super(`${asked}: no answer: ${why}`, { cause })
  }
}

/** `fetch` hides the reason in its cause. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error && error.cause.message !== ''
    ? error.cause.message
    : error.message
}

/** The answer lacks what it should have: another program answers there, or an answer that was asked for wrapped. */
export class UnexpectedAnswer extends KeyholdError {
  override readonly name = 'UnexpectedAnswer'
}

/** An argument cannot be used; the text says which and what would be right. */
export class InvalidArgument extends KeyholdError {
  override readonly name = 'InvalidArgument'
}
