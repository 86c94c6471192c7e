/** Finds the mount of a path: the one whose path is its longest prefix. */
import type { MountEntry } from './record.ts'

export class Router {
  readonly entries: readonly MountEntry[]
  readonly #byPath: ReadonlyMap<string, MountEntry>
  readonly #uuids: ReadonlySet<string>

  private constructor(entries: readonly MountEntry[]) {
    this.entries = entries
    this.#byPath = new Map(entries.map((entry) => [entry.path, entry]))
    this.#uuids = new Set(entries.map(({ uuid }) => uuid))
  }

  /** The router of a mount table; made once for each version of it. */
  static of(entries: readonly MountEntry[]): Router {
    let router = routers.get(entries)
    if (router === undefined) {
      router = new Router(entries)
      routers.set(entries, router)
    }
    return router
  }

  /** hot: whether the mount is there still, wherever it was moved to. */
  has(uuid: string): boolean {
    return this.#uuids.has(uuid)
  }

  get(path: string): MountEntry | undefined {
    return this.#byPath.get(path)
  }

  /** hot: the mount of a request's path; `foo` alone also reaches the mount `foo/`. */
  find(path: string): MountEntry | undefined {
    const whole = this.#byPath.get(`${path}/`)
    if (whole !== undefined) return whole
    for (let end = path.lastIndexOf('/'); end >= 0; end = path.lastIndexOf('/', end - 1)) {
      const found = this.#byPath.get(path.slice(0, end + 1))
      if (found !== undefined) return found
      if (end === 0) break
    }
    return undefined
  }

  /** A mount that `path` lies under, is, or lies over: it may not be mounted then. */
  conflict(path: string): MountEntry | undefined {
    return this.entries.find((entry) => entry.path.startsWith(path) || path.startsWith(entry.path))
  }
}

const routers = new WeakMap<readonly MountEntry[], Router>()
