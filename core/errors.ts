/**
 * The errors that a client may see. Each knows its status and its texts; `core/http` alone renders them.
 * Three kinds are never mixed: the client's (below), the world's (`StorageUnavailable` and its like: 503 with the
 * cause in the log), ours (anything else: 500 `internal error`, the details in the log only).
 *
 * Texts follow Vault's letter for letter where clients match on them (contract: http.md, 5.1).
 */
import type { Json } from './json.ts'

/** Something about the request is wrong: what, which field, what would be right. */
export class RequestError extends Error {
  override readonly name: string = 'RequestError'
  readonly status: number
  /** The strings of `{"errors": [...]}`; may be empty. */
  readonly errors: readonly string[]
  /** A further `data` beside `errors`, where the wire has one. */
  readonly data: Json | undefined
  /** Further response headers, such as `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    errors: string | readonly string[],
    more: { data?: Json; headers?: Record<string, string> } = {},
  ) {
    super(typeof errors === 'string' ? errors : errors.join('; '))
    this.status = status
    this.errors = typeof errors === 'string' ? [errors] : errors
    this.data = more.data
    this.headers = more.headers ?? {}
  }
}

/** 400: what was wrong, which field, what would be right. */
export class BadRequest extends RequestError {
  override readonly name: string = 'BadRequest'
  constructor(text: string) {
    super(400, text)
  }
}

/** A field of the request does not convert or misses. The pipeline may put `Field validation failed: ` before it. */
export class FieldError extends BadRequest {
  override readonly name = 'FieldError'
}

/** 403. `text` is Vault's plain form, or its list form (`listed`) where a policy refused. */
export class PermissionDenied extends RequestError {
  override readonly name = 'PermissionDenied'
  constructor(text = 'permission denied') {
    super(403, text)
  }
}

/** Thrown by an effect: certainly nothing was done in the other system, so there is nothing to undo. */
export class NothingDone extends RequestError {
  override readonly name = 'NothingDone'
}

/** 404 with no text: there is nothing at this path. */
export class NotFound extends RequestError {
  override readonly name = 'NotFound'
  constructor(text?: string) {
    super(404, text ?? [])
  }
}

/** 404: the mount exists, but no path of its engine is like this. */
export class UnsupportedPath extends RequestError {
  override readonly name = 'UnsupportedPath'
  constructor() {
    super(404, listed('unsupported path'))
  }
}

/** 405: the path exists, but not with this verb. */
export class UnsupportedOperation extends RequestError {
  override readonly name = 'UnsupportedOperation'
  constructor() {
    super(405, listed('unsupported operation'))
  }
}

/** 503: the barrier is closed (or was never initialised). */
export class Sealed extends RequestError {
  override readonly name = 'Sealed'
  constructor() {
    super(503, 'Vault is sealed')
  }
}

/** 503: an administrator closed the namespace, or one above it; `path` is that one's. */
export class NamespaceLocked extends RequestError {
  override readonly name = 'NamespaceLocked'
  constructor(path: string) {
    super(
      503,
      `API access to this namespace has been locked by an administrator - "${path}" must be unlocked to gain access.`,
    )
  }
}

/** 413: the body passes the listener's limit. */
export class BodyTooLarge extends RequestError {
  override readonly name = 'BodyTooLarge'
  constructor() {
    super(413, 'http: request body too large')
  }
}

/** 503 with Retry-After: the transaction met other writers too often; nothing was done. */
export class TooManyConflicts extends RequestError {
  override readonly name = 'TooManyConflicts'
  constructor() {
    super(
      503,
      'too many concurrent writes to the same records; nothing was changed, please try again',
      {
        headers: { 'Retry-After': '1' },
      },
    )
  }
}

/**
 * 503 without Retry-After: the storage's answer to a commit was lost, so the change may have been made or not. Who just
 * tries again may do it twice.
 */
export class OutcomeUnknown extends RequestError {
  override readonly name = 'OutcomeUnknown'
  constructor(options: { cause: unknown }) {
    super(
      503,
      "it is not known whether the change was made: the storage's answer to it was lost; look whether it took effect before trying again",
    )
    this.cause = options.cause
  }
}

/**
 * A stored record does not open or parse: altered, truncated, moved, or of a newer version. That record alone is
 * refused; the key names it (keys hold no secrets).
 */
export class CorruptRecord extends RequestError {
  override readonly name = 'CorruptRecord'
  readonly key: string
  constructor(key: string, options: { cause?: unknown } = {}) {
    super(500, `the stored record "${key}" is damaged or was altered; restore it from a backup`)
    this.key = key
    this.cause = options.cause
  }
}

/** Vault's list form of one or more error texts: `1 error occurred:\n\t* text\n\n`. */
export function listed(...texts: readonly string[]): string {
  const head = texts.length === 1 ? '1 error occurred:' : `${texts.length} errors occurred:`
  return `${head}\n${texts.map((text) => `\t* ${text}\n`).join('')}\n`
}

/** Ours: a bug. The request fails before its commit; a client sees `internal error` and no more. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${what}`)
}
