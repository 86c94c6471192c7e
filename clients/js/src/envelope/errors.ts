/** Why an envelope is not opened, or not made. */
import { KeyholdError } from '../errors.ts'

/** It is no envelope, or one that a reader has to refuse by `docs/envelope-format.md`. */
export class MalformedEnvelope extends KeyholdError {
  override readonly name = 'MalformedEnvelope'
}

/** Its bytes are not those that were written: altered, cut off, moved, or of another key. What came before counts for nothing. */
export class NotAuthentic extends KeyholdError {
  override readonly name = 'NotAuthentic'
}

/** It is another message than the one that was expected: its key or its context differs. */
export class OtherEnvelope extends KeyholdError {
  override readonly name = 'OtherEnvelope'
}
