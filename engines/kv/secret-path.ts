/** Where a secret lies below its mount: any characters, '/' between folders. */
import { BadRequest } from '../../core/errors.ts'
import { string } from '../../core/plugin/fields.ts'

export const secretPath = string('Where the secret lies.').default('')
export const folderPath = string('The secret, or the folder, which ends in "/".').default('')

/** Whether a secret can have this path: a folder's, which ends in '/', and the empty one are none. */
export function namesSecret(path: string): boolean {
  return path !== '' && !path.endsWith('/')
}

/** @throws {BadRequest} nothing can be written there */
export function demandSecretPath(path: string): void {
  if (!namesSecret(path)) throw new BadRequest('missing path')
}
