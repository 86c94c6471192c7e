/**
 * Namespaces: tenants within one server, each with its own mounts, policies and tokens. A request names its namespace
 * by the header `X-Vault-Namespace`, by a prefix of its path, or by both together.
 *
 * Stored as one table under `namespaces`; the root namespace is not in it, for it is always there.
 */
import { z } from 'zod'
import { NotFound } from './errors.ts'
import type { Namespace } from './plugin/request.ts'
import { kind } from './store/kind.ts'
import type { View } from './store/view.ts'

export const ROOT: Namespace = { id: 'root', path: '' }

const namespaceTable = kind(
  'namespaces',
  z.array(z.object({ id: z.string(), path: z.string() }).readonly()).readonly(),
)
const TABLE_KEY = 'namespaces'

/** All namespaces but the root one. */
export async function listNamespaces(root: View): Promise<readonly Namespace[]> {
  return (await root.get(namespaceTable, TABLE_KEY)) ?? []
}

export async function writeNamespaces(root: View, table: readonly Namespace[]): Promise<void> {
  root.put(namespaceTable, TABLE_KEY, table)
}

/** The namespace with this id, if there is one. */
export async function namespaceById(root: View, id: string): Promise<Namespace | undefined> {
  if (id === ROOT.id) return ROOT
  return (await listNamespaces(root)).find((namespace) => namespace.id === id)
}

/** A request's namespace, and its path within it. */
export interface Located {
  readonly namespace: Namespace
  readonly path: string
}

/**
 * hot: finds the namespace of a request.
 *
 * @param header the value of `X-Vault-Namespace`; slashes around it are tolerated; `root` and `/` mean the root
 * @param path the canonical path below `/v1/`
 * @throws {NotFound} the header names no namespace
 */
export async function locate(root: View, header: string, path: string): Promise<Located> {
  const table = await listNamespaces(root)
  const named = trimSlashes(header)
  const base = named === '' || named === 'root' ? '' : `${named}/`
  if (table.length === 0 && base === '') return { namespace: ROOT, path }
  const known = new Map(table.map((namespace) => [namespace.path, namespace]))
  const start = base === '' ? ROOT : known.get(base)
  if (start === undefined) throw new NotFound('namespace not found')
  return descend(known, start, path)
}

function descend(known: ReadonlyMap<string, Namespace>, start: Namespace, path: string): Located {
  let located: Located = { namespace: start, path }
  for (;;) {
    const slash = located.path.indexOf('/')
    const name = slash < 0 ? located.path : located.path.slice(0, slash)
    const inner = name === '' ? undefined : known.get(`${located.namespace.path}${name}/`)
    if (inner === undefined) return located
    located = { namespace: inner, path: slash < 0 ? '' : located.path.slice(slash + 1) }
  }
}

function trimSlashes(text: string): string {
  return text.replace(/^\/+|\/+$/g, '')
}

/** Where a namespace's own records lie. */
export function namespacePrefix(id: string): string {
  return `ns/${id}/`
}
