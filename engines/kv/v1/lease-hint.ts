/** For how long a value says that it may be kept. No lease is made: it is a hint of the writer to the readers. */
import { InvalidDuration, parseDurationSeconds } from '../../../core/duration.ts'
import type { Json, JsonObject } from '../../../core/json.ts'

/** Whole seconds out of the value's own `ttl`, else `lease`; what is no duration counts for nothing. */
export function leaseHintSeconds(value: JsonObject, defaultSeconds: number): number {
  const hint = Object.hasOwn(value, 'ttl') ? value['ttl'] : value['lease']
  const seconds = hint === undefined ? undefined : tryParse(hint)
  return seconds ?? defaultSeconds
}

function tryParse(hint: Json): number | undefined {
  if (typeof hint !== 'string' && typeof hint !== 'number') return undefined
  try {
    return Math.trunc(parseDurationSeconds(hint))
  } catch (error) {
    if (error instanceof InvalidDuration) return undefined
    throw error
  }
}
