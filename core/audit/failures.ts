/**
 * Why something could not be audited.
 */
import { listed, RequestError } from '../errors.ts'

/**
 * 500: no device has taken the entry, so the request is not executed, or its answer is withheld. The client learns no
 * more than Vault tells; `causes`, one a device, are for the server's log.
 */
export class AuditFailed extends RequestError {
  override readonly name = 'AuditFailed'
  readonly causes: readonly Error[]

  constructor(phase: 'request' | 'response', causes: readonly Error[]) {
    super(500, phase === 'request' ? listed('internal error') : 'internal error')
    this.causes = causes
  }
}

/** The world's: a device cannot write. The text says what to do; it names no path (an operator's input). */
export class AuditWriteFailed extends Error {
  override readonly name = 'AuditWriteFailed'

  constructor(text: string, cause?: unknown) {
    super(text, { cause })
  }
}

/** Codes of the system that an operator can do something about. */
const HINTS: ReadonlyMap<string, string> = new Map([
  [
    'EACCES',
    'the server may not write to the audit file; check the owner and mode of the file and its directory',
  ],
  [
    'EPERM',
    'the server may not change the mode of the audit file; check its owner, or set "mode" to "0000"',
  ],
  ['EROFS', 'the file system of the audit file is read-only'],
  ['ENOSPC', 'the disk of the audit file is full; free some space'],
  ['EDQUOT', 'the disk quota of the audit file is used up; free some space'],
  ['EFBIG', 'the audit file has reached the largest size that is allowed; rotate it'],
  ['ENOENT', 'the directory of the audit file does not exist; create it'],
  ['ENOTDIR', 'the directory of the audit file is not a directory'],
  ['EISDIR', 'the path of the audit file is a directory; give a file in it'],
  ['ELOOP', 'the path of the audit file is a symbolic link; give the file itself'],
  ['ENXIO', 'the path of the audit file is not a regular file'],
  ['EMFILE', 'the server has too many files open; raise its limit (ulimit -n)'],
  ['EPIPE', 'the reader of standard output is gone'],
])

/** @param error what a call of node:fs threw */
export function writeFailed(error: unknown): AuditWriteFailed {
  if (error instanceof AuditWriteFailed) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return new AuditWriteFailed(
    HINTS.get(code) ?? `the audit device cannot be written (${code})`,
    error,
  )
}
