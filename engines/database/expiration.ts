/** When a user's credential ends, as statements are told. */
import { formatGoTime } from '../../core/plugin/template/go-time.ts'

/** A lease ends first, so that nobody is cut off whose lease is still good. */
const GRACE_MS = 5000

/** @param endMs of the lease */
export function expirationText(endMs: number): string {
  return formatGoTime('2006-01-02 15:04:05-0700', endMs + GRACE_MS)
}
