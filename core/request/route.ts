/** Where a request goes: namespace, mount, declared path; and the path's canonical form, which all else reads. */
import { locate, type Located } from '../namespaces.ts'
import type { MountEntry } from '../mounts/record.ts'
import type { Instance, Registry } from '../mounts/registry.ts'
import { findMount } from '../mounts/table.ts'
import type { Path } from '../plugin/path.ts'
import type { Match } from '../plugin/pattern.ts'
import type { View } from '../store/view.ts'
import type { Incoming } from './incoming.ts'

/** Its path is relative to the namespace; names are in the form in which policies, audit and storage see them. */
export interface Route extends Located {
  /** `undefined`: nothing is mounted there. */
  readonly target: Target | undefined
}

export interface Target {
  readonly entry: MountEntry
  readonly instance: Instance
  /** `undefined`: the engine has no such path. */
  readonly match: Match<Path> | undefined
}

/** hot. @throws {NotFound} the namespace is unknown */
export async function routeRequest(
  root: View,
  registry: Registry,
  incoming: Incoming,
): Promise<Route> {
  const located = await locate(root, incoming.namespace ?? '', incoming.path)
  return routeWithin(root, registry, incoming, located)
}

/** hot: where the request goes that was for this path of this namespace. */
export async function routeWithin(
  root: View,
  registry: Registry,
  incoming: Pick<Incoming, 'operation'>,
  located: Located,
): Promise<Route> {
  const entry = await findMount(root, located.namespace.id, located.path)
  const found = entry === undefined ? undefined : registry.find(root, entry)
  const instance = found instanceof Promise ? await found : found
  if (entry === undefined || instance === undefined) return { ...located, target: undefined }
  return throughMount(located, incoming, entry, instance)
}

function throughMount(
  located: Located,
  { operation }: Pick<Incoming, 'operation'>,
  entry: MountEntry,
  instance: Instance,
): Route {
  const { path } = located
  const listing = operation === 'list' || operation === 'scan'
  const match = instance.table.find(path.slice(entry.path.length), { listing })
  return {
    ...located,
    path: match === undefined ? path : entry.path + match.canonical,
    target: { entry, instance, match },
  }
}
