/**
 * The external plugins of a node: which program serves a mount, by the catalog in the storage, which all nodes share. One
 * process of a version serves all its mounts.
 */
import { RequestError } from '../errors.ts'
import type { ExternalTypes, Instance, Served } from '../mounts/registry.ts'
import type { View } from '../store/view.ts'
import { findRegistered, servingVersion, type Registered } from './catalog.ts'
import { PluginUnavailable } from './failures.ts'
import { unavailableInstance } from './instance.ts'
import { Program, type ProgramParts } from './program.ts'

export class ExternalPlugins implements ExternalTypes {
  readonly #parts: ProgramParts
  readonly #programs = new Map<string, Program>()
  /** Replaced, and not over yet. */
  #retired: Program[] = []

  constructor(parts: ProgramParts) {
    this.#parts = parts
  }

  /** Whether this node may run plugins, and from where. */
  get directory(): string | undefined {
    return this.#parts.directory
  }

  async find(root: View, mount: Served): Promise<Instance> {
    const version = await servingVersion(root, mount)
    const plugin = { kind: mount.kind, name: mount.type, version }
    const registered = await findRegistered(root, mount.kind, mount.type, version)
    try {
      if (registered === undefined) throw new PluginUnavailable(plugin, NOT_REGISTERED)
      return await this.#program(registered).instance(mount.options?.['version'])
    } catch (error) {
      if (error instanceof RequestError) return unavailableInstance(plugin, error)
      throw error
    }
  }

  /** After the catalog has changed: ends what is not in it any more. */
  async sweep(root: View): Promise<void> {
    for (const [key, program] of this.#programs) {
      const registered = await findRegistered(root, ...program.place)
      if (registered !== undefined && program.is(registered)) continue
      if (this.#programs.get(key) === program) this.#programs.delete(key)
      this.#retire(program)
    }
  }

  /** Ends all processes: the node is sealed. */
  stop(): void {
    for (const program of [...this.#programs.values(), ...this.#retired]) program.stop()
    this.#programs.clear()
    this.#retired = []
  }

  #program(registered: Registered): Program {
    const key = `${registered.kind} ${registered.name} ${registered.version}`
    const known = this.#programs.get(key)
    if (known?.is(registered)) return known
    if (known !== undefined) this.#retire(known)
    const program = new Program(registered, this.#parts)
    this.#programs.set(key, program)
    return program
  }

  #retire(program: Program): void {
    program.retire()
    this.#retired = [...this.#retired.filter(({ hasEnded }) => !hasEnded), program]
  }
}

const NOT_REGISTERED =
  "is not in the catalog: register it again, or tune the mount's plugin_version"
