/**
 * Set up before each test file: what a transaction writes must be what its kind of record reads again, all of it. A
 * server does not look: it would parse each record twice.
 */
import { isDeepStrictEqual } from 'node:util'
import { parseJson } from '../../core/json.ts'
import type { Kind } from '../../core/store/kind.ts'
import { Transaction } from '../../core/store/transaction.ts'

const { put } = Transaction.prototype

Transaction.prototype.put = function checked<T>(
  this: Transaction,
  kind: Kind<T>,
  key: string,
  value: T,
) {
  put.call(this, kind, key, value)
  const written = kind.encode(value)
  const again = kind.encode(kind.decode(key, Buffer.from(written)))
  if (
    typeof written === 'string' ? !isSameJson(written, again) : !written.equals(Buffer.from(again))
  ) {
    throw new Error(
      `a record of kind "${kind.name}" is not read as it was written: ${String(written)} is read as ${String(again)}`,
    )
  }
}

function isSameJson(written: string, again: string | Buffer): boolean {
  if (typeof again !== 'string') return false
  return written === again || isDeepStrictEqual(parseJson(again), parseJson(written))
}
