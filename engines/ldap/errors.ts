/** What goes wrong with a directory. Texts hold what the server said, and never a password. */
import { RequestError } from '../../core/errors.ts'

/** Of what the server says, in an error. */
const MOST_CHARACTERS = 300

/** 502: no server answers, or none with which a connection can be made. */
export class DirectoryUnavailable extends RequestError {
  override readonly name = 'DirectoryUnavailable'
  constructor(why: string) {
    super(502, `the directory cannot be used: ${why}`)
  }
}

/** 400: the directory does not do it. */
export class DirectoryRefused extends RequestError {
  override readonly name = 'DirectoryRefused'
  /** The result code, RFC 4511, 4.1.9. */
  readonly code: number
  constructor(what: string, code: number, said: string) {
    super(400, `${what}: LDAP result ${code} ${said}`)
    this.code = code
  }
}

/** RFC 4511, 4.1.9: there is no such entry. */
export const NO_SUCH_OBJECT = 32
/** RFC 4511, 4.1.9: the attribute, or this value of it, is not there. */
export const NO_SUCH_ATTRIBUTE = 16
/** RFC 4511, 4.1.9: name or password is wrong. */
export const INVALID_CREDENTIALS = 49

/** What the server said, in one line, without secrets in it. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const said = secrets
    .filter((secret) => secret !== '')
    .reduce((left, secret) => left.replaceAll(secret, '[password]'), text)
  return said.replaceAll(/\s+/g, ' ').trim().slice(0, MOST_CHARACTERS)
}
