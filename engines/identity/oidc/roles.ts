/** Roles of identity tokens: which key signs, and which claims. */
import type { Place } from '../../../core/identity/entities.ts'
import { oidcRoleFolder, oidcRoleKey, oidcRoles, type OidcRole } from './records.ts'

export function findOidcRole({ root, namespaceId }: Place, name: string) {
  return root.get(oidcRoles, oidcRoleKey(namespaceId, name))
}

/** Whoever gives a role a key writes the key as well, so that of a removal of the key at the same time one runs again. */
export async function rolesOfKey(place: Place, key: string): Promise<readonly OidcRole[]> {
  const found: OidcRole[] = []
  for (const name of await place.root.list(oidcRoleFolder(place.namespaceId))) {
    const role = await findOidcRole(place, name)
    if (role?.key === key) found.push(role)
  }
  return found
}
