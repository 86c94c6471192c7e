/** The types of engines and auth methods that this server knows, and their instances. */
import { PathTable } from '../plugin/pattern.ts'
import type { Path } from '../plugin/path.ts'
import type { Plugin, PluginType } from '../plugin/plugin.ts'
import type { MountEntry } from './record.ts'

/** A type made for a mount's options, its paths ready to be found. */
export interface Instance {
  readonly type: PluginType
  readonly plugin: Plugin
  readonly table: PathTable<Path>
}

export class Registry {
  readonly #types = new Map<string, PluginType>()
  readonly #instances = new Map<string, Instance>()

  constructor(types: readonly PluginType[]) {
    for (const type of types) this.#types.set(`${type.kind} ${type.type}`, type)
  }

  get types(): readonly PluginType[] {
    return [...this.#types.values()]
  }

  type(kind: 'secret' | 'auth', type: string): PluginType | undefined {
    return this.#types.get(`${kind} ${type}`)
  }

  /** hot: the instance of a mount; instances hold no state, so mounts with the same options share one. */
  instance(entry: Pick<MountEntry, 'kind' | 'type' | 'options'>): Instance | undefined {
    const key = `${entry.kind} ${entry.type} ${entry.options?.['version'] ?? ''}`
    return this.#instances.get(key) ?? this.#make(key, entry)
  }

  #make(key: string, entry: Pick<MountEntry, 'kind' | 'type' | 'options'>): Instance | undefined {
    const type = this.type(entry.kind, entry.type)
    if (type === undefined) return undefined
    const plugin = type.create({ version: entry.options?.['version'] })
    const instance = { type, plugin, table: new PathTable(plugin.paths) }
    this.#instances.set(key, instance)
    return instance
  }
}
