/** Which version of an external plugin is meant by a request that mounts it, tunes it or asks for it. */
import { BadRequest } from '../../core/errors.ts'
import {
  canonicalVersion,
  findPin,
  findRegistered,
  versionsOf,
  type Registered,
} from '../../core/external/catalog.ts'
import type { View } from '../../core/store/view.ts'

/** @throws {BadRequest} it is no version */
export function readVersion(given: string): string {
  const version = canonicalVersion(given)
  if (version !== undefined) return version
  throw new BadRequest('version must be a semantic version such as v1.2.3')
}

/**
 * The version that a mount is to have: the given one, else the pinned one, else the newest.
 *
 * @throws {BadRequest} there is none, or another one is pinned
 */
export async function chooseVersion(
  root: View,
  kind: Registered['kind'],
  name: string,
  given: string,
): Promise<string> {
  const wanted = readVersion(given)
  const pin = await findPin(root, kind, name)
  if (pin !== undefined && wanted !== '' && wanted !== pin.version) {
    throw new BadRequest(`the plugin ${name} is pinned to ${pin.version}: remove the pin first`)
  }
  const found = await findVersion(root, kind, name, pin?.version ?? wanted)
  if (found !== undefined) return found.version
  const version = wanted === '' ? '' : `, version ${wanted}`
  throw new BadRequest(`plugin not found in the catalog: ${name}${version}`)
}

/** @param version empty: the newest */
export async function findVersion(
  root: View,
  kind: Registered['kind'],
  name: string,
  version: string,
): Promise<Registered | undefined> {
  if (version !== '') return findRegistered(root, kind, name, version)
  return (await versionsOf(root, kind, name)).at(-1)
}
