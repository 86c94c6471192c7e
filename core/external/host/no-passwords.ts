/** What external plugins are given in the place of password policies, which they do not reach. */
import { BadRequest } from '../../errors.ts'

export function noPasswords(): Promise<string> {
  return Promise.reject(new BadRequest("password policies are for the server's own engines only"))
}
