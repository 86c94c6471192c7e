/**
 * What is wrong with a policy. Its texts name parts of the policy, which is no secret: whoever may write it may read it.
 */
import { BadRequest } from '../errors.ts'

/** The policy's text cannot be understood. */
export class InvalidPolicy extends BadRequest {
  override readonly name = 'InvalidPolicy'
  /** Where in the policy's text, if it is one place. */
  readonly line: number | undefined

  constructor(what: string, line?: number) {
    super(`failed to parse policy: ${what}`)
    this.line = line
  }
}
