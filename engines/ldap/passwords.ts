/** Passwords for accounts: by the password policy of the configuration, else of letters and digits. */
import { BadRequest } from '../../core/errors.ts'
import type { RequestBase } from '../../core/plugin/request.ts'
import type { Config } from './records.ts'

const DEFAULT_CHARACTERS = 64
/** Blanks at an end, `:` and `<` mean something in LDIF, and `{` in an attribute of OpenLDAP's. */
const TAKEN_AS_IT_IS = /^[^\s:<{](?:.*\S)?$/u
/** Of passwords by a policy. One that only gives others is useless here. */
const MOST_TRIES = 100

/** @throws {BadRequest} there is no such policy, or its passwords cannot be used */
export async function newPassword(
  { random, generatePassword }: Pick<RequestBase, 'random' | 'generatePassword'>,
  { passwordPolicy, passwordLength }: Config,
): Promise<string> {
  if (passwordPolicy === '') {
    return random.base62(passwordLength === 0 ? DEFAULT_CHARACTERS : passwordLength)
  }
  for (let i = 0; i < MOST_TRIES; i++) {
    const password = await generatePassword(passwordPolicy)
    if (TAKEN_AS_IT_IS.test(password)) return password
  }
  throw new BadRequest(
    'the password policy gives passwords that begin with a blank, ":", "<" or "{", or end with a blank: a directory would change them',
  )
}
