/** What a quota is about, between the path that a client gives or sees and what is stored. */
import { BadRequest } from '../../core/errors.ts'
import type { MountEntry } from '../../core/mounts/record.ts'
import type { Instance, Registry } from '../../core/mounts/registry.ts'
import { findMount, mountByUuid } from '../../core/mounts/table.ts'
import { locate, pathOfNamespace, ROOT } from '../../core/namespaces.ts'
import type { Target } from '../../core/quota/target.ts'
import type { View } from '../../core/store/view.ts'

/** Of a path; longer ones would fit, but all quotas of a kind are one record. */
const MAX_SUFFIX_CHARACTERS = 256

/** About the whole server, by the root namespace. */
export function isGlobal({ namespaceId, mountUuid }: Target): boolean {
  return namespaceId === ROOT.id && mountUuid === ''
}

/** Where its mount is now. */
export async function pathOfTarget(
  root: View,
  { namespaceId, mountUuid, suffix }: Target,
): Promise<string> {
  const namespacePath = (await pathOfNamespace(root, namespaceId)) ?? ''
  const mount = mountUuid === '' ? undefined : await mountByUuid(root, namespaceId, mountUuid)
  return `${namespacePath}${mount?.path ?? ''}${suffix}`
}

/** @throws {BadRequest} nothing is mounted there, or it knows no roles */
export async function targetOfPath(
  root: View,
  { path, role }: { readonly path: string; readonly role: string },
  registry: Registry,
): Promise<Target> {
  const given = path.replaceAll(/^\/+|\/+$/g, '')
  const { namespace, path: inner } = await locate(root, '', given === '' ? '' : `${given}/`)
  const base = { namespaceId: namespace.id, mountUuid: '', suffix: '', role: '' }
  if (inner === '') {
    if (role !== '') throw noAuthMethod('')
    return base
  }
  const entry = await findMount(root, namespace.id, inner)
  const instance = entry && (await registry.find(root, entry))
  if (entry === undefined || instance === undefined) {
    throw new BadRequest(`invalid mount path "${inner}"`)
  }
  const suffix = canonicalSuffix(inner.slice(entry.path.length, -1), instance)
  if (role !== '') demandRoles(entry, suffix, instance)
  return { ...base, mountUuid: entry.uuid, suffix, role }
}

/** In the form in which requests are compared with it. @throws {BadRequest} it is too long */
function canonicalSuffix(given: string, { table }: Instance): string {
  if (given.length > MAX_SUFFIX_CHARACTERS) {
    throw new BadRequest(
      `'path' has at most ${MAX_SUFFIX_CHARACTERS} characters below the path of the mount`,
    )
  }
  return table.find(given, { listing: false })?.canonical.replace(/\/$/, '') ?? given
}

/** @throws {BadRequest} nobody logs in there as a role */
function demandRoles(entry: MountEntry, suffix: string, { plugin }: Instance): void {
  if (suffix !== '') {
    throw new BadRequest(
      'Quotas cannot contain both a path suffix and a role. If a role is provided, path must be a valid auth mount with a concept of roles',
    )
  }
  if (entry.kind !== 'auth') throw noAuthMethod(entry.path)
  if (plugin.loginRole === undefined) {
    throw new BadRequest(`Mount path "${entry.path}" does not support use with role-based quotas`)
  }
}

function noAuthMethod(mountPath: string): BadRequest {
  return new BadRequest(
    `Mount path "${mountPath}" is not a valid auth method and therefore unsuitable for use with role-based quotas`,
  )
}
