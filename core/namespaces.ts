/**
 * Namespaces: tenants within one server, each with its own mounts, policies and tokens. A request names its namespace
 * by the header `X-Vault-Namespace`, by a prefix of its path, or by both together.
 *
 * Each is a record, and one more says where its name stands below its parent: so a request looks at the namespaces on
 * its way and at no others, however many there are. The root namespace has no record, for it is always there.
 */
import { z } from 'zod'
import { NamespaceLocked, NotFound } from './errors.ts'
import type { Namespace } from './plugin/request.ts'
import { kind, texts } from './store/kind.ts'
import type { Awaitable } from './store/awaitable.ts'
import type { View } from './store/view.ts'

export const ROOT: Namespace = { id: 'root', path: '' }

const namespaceSchema = z
  .object({
    id: z.string(),
    uuid: z.string(),
    /** Of the whole server, with a trailing '/': `a/b/`. */
    path: z.string(),
    parentId: z.string(),
    customMetadata: texts,
    /** Nobody enters it, and no token of it is alive: it is being deleted. */
    tainted: z.boolean(),
    /** SHA-256 of the key that unlocks it, in hex; `null`: it is not locked. */
    lock: z.string().nullable(),
  })
  .readonly()
export type NamespaceRecord = z.infer<typeof namespaceSchema>

export const namespaceRecords = kind('namespace', namespaceSchema)
export const namespaceLinks = kind('namespace-link', z.object({ id: z.string() }).readonly())

export const NAMESPACES_PREFIX = 'namespace/'
export const namespaceKey = (id: string) => NAMESPACES_PREFIX + id
export const namespaceLinkFolder = (parentId: string) => `namespace-link/${parentId}/`
export const namespaceLinkKey = (parentId: string, name: string) =>
  namespaceLinkFolder(parentId) + name

/** Of the name of one, in UTF-8. */
export const MAX_NAMESPACE_NAME_BYTES = 128
/** No namespace may have these, on any level: the first segment of many paths is one of them. */
export const RESERVED_NAMESPACE_NAMES: ReadonlySet<string> = new Set([
  '',
  '.',
  '..',
  'audit',
  'auth',
  'cubbyhole',
  'identity',
  'root',
  'sys',
])

/** Where a namespace's own records lie. */
export function namespacePrefix(id: string): string {
  return `ns/${id}/`
}

/** hot: the namespace with this id, also while it is being deleted; there is none of the root one. */
export function findNamespace(root: View, id: string): Awaitable<NamespaceRecord | undefined> {
  return root.get(namespaceRecords, namespaceKey(id))
}

/** hot: the namespace with this id, if there is one and it is not being deleted. */
export async function namespaceById(root: View, id: string): Promise<Namespace | undefined> {
  if (id === ROOT.id) return ROOT
  const found = await findNamespace(root, id)
  return found?.tainted ? undefined : found
}

/** The path of the namespace with this id, also while it is being deleted. */
export async function pathOfNamespace(root: View, id: string): Promise<string | undefined> {
  return id === ROOT.id ? ROOT.path : (await findNamespace(root, id))?.path
}

/** A namespace, or it and all below. */
export interface NamespaceSpan {
  readonly namespaceId: string
  readonly recursive: boolean
}

/** Whether the namespace with this id is in the span; of those that are gone or being deleted none is. */
export async function isInSpan(
  root: View,
  { namespaceId, recursive }: NamespaceSpan,
  id: string,
): Promise<boolean> {
  if (id === namespaceId) return true
  if (!recursive) return false
  const outer = await namespaceById(root, namespaceId)
  const inner = await namespaceById(root, id)
  return outer !== undefined && inner?.path.startsWith(outer.path) === true
}

/** hot: the namespace of that name right below a parent. */
export async function childNamespace(
  root: View,
  parentId: string,
  name: string,
): Promise<NamespaceRecord | undefined> {
  if (RESERVED_NAMESPACE_NAMES.has(name) || name.length > MAX_NAMESPACE_NAME_BYTES) return undefined
  const link = await root.get(namespaceLinks, namespaceLinkKey(parentId, name))
  return link && findNamespace(root, link.id)
}

/** Why nobody enters a namespace. */
export type Closed =
  | { readonly kind: 'tainted' }
  /** @property path of the namespace that an administrator locked: itself, or the outermost above it */
  | { readonly kind: 'locked'; readonly path: string }

/** A request's namespace, and its path within it. */
export interface Located {
  readonly namespace: Namespace
  readonly path: string
  readonly closed?: Closed
}

/**
 * hot: finds the namespace of a request.
 *
 * @param header the value of `X-Vault-Namespace`; slashes around it are tolerated; `root` and `/` mean the root
 * @param path the canonical path below `/v1/`
 * @throws {NotFound} the header names no namespace
 */
export async function locate(root: View, header: string, path: string): Promise<Located> {
  let located: Located = { namespace: ROOT, path }
  const named = trimSlashes(header)
  for (const name of named === '' || named === 'root' ? [] : named.split('/')) {
    const inner = await childNamespace(root, located.namespace.id, name)
    if (inner === undefined) throw new NotFound('namespace not found')
    located = entered(located, inner, path)
  }
  return descend(root, located)
}

/** The way down that the path itself names. */
async function descend(root: View, start: Located): Promise<Located> {
  let located = start
  for (;;) {
    const slash = located.path.indexOf('/')
    const name = slash < 0 ? located.path : located.path.slice(0, slash)
    const inner = await childNamespace(root, located.namespace.id, name)
    if (inner === undefined) return located
    located = entered(located, inner, slash < 0 ? '' : located.path.slice(slash + 1))
  }
}

function entered({ closed: above }: Located, namespace: NamespaceRecord, path: string): Located {
  const closed = above ?? closedItself(namespace)
  return closed === undefined ? { namespace, path } : { namespace, path, closed }
}

function closedItself({ tainted, lock, path }: NamespaceRecord): Closed | undefined {
  if (tainted) return { kind: 'tainted' }
  return lock === null ? undefined : { kind: 'locked', path }
}

/** Why nobody enters the namespace with this id; its own state comes after that of those above it. */
export async function closedBy(root: View, id: string): Promise<Closed | undefined> {
  let closed: Closed | undefined
  for (let at = id; at !== ROOT.id;) {
    const namespace = await findNamespace(root, at)
    if (namespace === undefined) return { kind: 'tainted' }
    closed = closedItself(namespace) ?? closed
    at = namespace.parentId
  }
  return closed
}

/** The one path that a locked namespace answers. */
const UNLOCK_PATH = 'sys/namespaces/api-lock/unlock'

/** hot. @throws {NamespaceLocked} {NotFound} nobody may enter the namespace for such a path */
export function demandOpen({ namespace, path, closed }: Located): void {
  if (closed === undefined) return
  if (closed.kind === 'tainted') {
    throw new NotFound(
      `no handler for route "${path}" on namespace "${namespace.path}". route entry or namespace is tainted.`,
    )
  }
  if (path !== UNLOCK_PATH) throw new NamespaceLocked(closed.path)
}

function trimSlashes(text: string): string {
  return text.replace(/^\/+|\/+$/g, '')
}
