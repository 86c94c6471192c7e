/**
 * Names of roles and sets. They may have folders (`team/reader`), and upper and lower case are the same: policy, audit and
 * storage see the lower-case form.
 */
import { BadRequest } from '../../core/errors.ts'
import { caselessName } from '../../core/plugin/fields.ts'

/** As in Vault: letters, digits and `_`; `-` and `.` inside. */
const SEGMENT = /^\w(?:[\w.-]*\w)?$/
const MAX_NAME_CHARACTERS = 256

export const name = caselessName('Name, with folders if need be: `team/reader`.').default('')

/** @throws {BadRequest} it is no name, or none was given */
export function checkName(given: string): string {
  const isName =
    given.length <= MAX_NAME_CHARACTERS && given.split('/').every((one) => SEGMENT.test(one))
  if (isName) return given
  throw new BadRequest(
    `a name has up to ${MAX_NAME_CHARACTERS} letters, digits and "_", "-" and "." inside, and folders with "/"`,
  )
}

/** The folder whose names are listed, with a '/' at its end; empty: all of it. @throws {BadRequest} */
export function folderOf(given: string): string {
  const folder = given.replace(/\/$/, '')
  return folder === '' ? '' : `${checkName(folder)}/`
}
