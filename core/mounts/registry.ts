/** The types of engines and auth methods that this server knows, and their instances. */
import { PathTable } from '../plugin/pattern.ts'
import type { Path } from '../plugin/path.ts'
import type { Plugin, PluginType } from '../plugin/plugin.ts'
import type { RequestError } from '../errors.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { View } from '../store/view.ts'
import type { MountEntry } from './record.ts'

/** A type made for a mount's options, its paths ready to be found. */
export interface Instance {
  readonly type: PluginType
  readonly plugin: Plugin
  readonly table: PathTable<Path>
  /** Why it cannot serve just now; each of its paths answers so. It is looked for anew with the next request. */
  readonly unavailable?: RequestError
}

/** What of a mount decides which plugin serves it. */
export type Served = Pick<MountEntry, 'kind' | 'type' | 'pluginVersion' | 'options'>

/** Where the instances of plugins that are not built in come from. */
export interface ExternalTypes {
  /** Never throws for what is wrong with the plugin: the instance is then `unavailable`. */
  find(root: View, mount: Served): Promise<Instance>
}

export class Registry {
  readonly #types = new Map<string, PluginType>()
  readonly #instances = new Map<string, Instance>()
  readonly #external: ExternalTypes | undefined

  constructor(types: readonly PluginType[], external?: ExternalTypes) {
    this.#external = external
    for (const type of types) this.#types.set(`${type.kind} ${type.type}`, type)
  }

  get types(): readonly PluginType[] {
    return [...this.#types.values()]
  }

  type(kind: 'secret' | 'auth', type: string): PluginType | undefined {
    return this.#types.get(`${kind} ${type}`)
  }

  /**
   * hot: the instance of a mount; instances hold no state, so mounts with the same options share one.
   *
   * @param root where the catalog of external plugins is read
   */
  find(root: View, mount: Served): Awaitable<Instance | undefined> {
    if (mount.pluginVersion !== undefined) return this.#external?.find(root, mount)
    const key = `${mount.kind} ${mount.type} ${mount.options?.['version'] ?? ''}`
    return this.#instances.get(key) ?? this.#make(key, mount)
  }

  /** Lets go of what the instances hold of other systems. */
  close(): void {
    for (const { plugin } of this.#instances.values()) plugin.close?.()
  }

  #make(key: string, mount: Served): Instance | undefined {
    const type = this.type(mount.kind, mount.type)
    if (type === undefined) return undefined
    const instance = instanceOf(type, mount.options?.['version'])
    this.#instances.set(key, instance)
    return instance
  }
}

/** @param version the mount's option of that name */
export function instanceOf(type: PluginType, version: string | undefined): Instance {
  const plugin = type.create({ version })
  return { type, plugin, table: new PathTable(plugin.paths) }
}
