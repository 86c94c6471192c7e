/** The version of a key that an operation takes: counted, where it makes something, and noted. */
import type { RequestBase } from '../../core/plugin/request.ts'
import { loadVersion, type Loaded, type Reads } from './keys.ts'
import { countOperation, type Making } from './operations.ts'
import type { TransitKey } from './records.ts'
import { noteUse } from './uses.ts'

/** Who uses a key, and where its records are. */
export interface User extends Pick<RequestBase, 'local' | 'caller' | 'nowMs'> {
  readonly storage: Reads
}

/**
 * hot: the version that encrypts, signs or authenticates.
 *
 * @param version as its rules say @param asked what the request asks for; 0: the newest
 * @throws {BadRequest} it was destroyed, or has no operations left
 */
export async function versionToMake(
  user: User,
  key: TransitKey,
  { version, asked, operation }: { version: number; asked: number; operation: Making },
): Promise<Loaded> {
  const wait = countOperation(user.local, key, { version, isNewest: asked === 0, operation })
  if (wait !== undefined) await wait
  const loaded = await loadVersion(user.storage, key, version)
  noteUse(user, key.id, version, operation)
  return loaded
}

/** hot: the version that something was made with. @throws {BadRequest} it was destroyed, or may not be used any more */
export async function versionOfMade(
  user: User,
  key: TransitKey,
  number: number,
  operation: 'decrypt' | 'verify' | 'agree',
): Promise<Loaded> {
  const loaded = await loadVersion(user.storage, key, number)
  noteUse(user, key.id, number, operation)
  return loaded
}
