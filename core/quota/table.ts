/** The rate limits of a server, made ready to find the one that holds for a request: the most specific. */
import type { Quotas, QuotaSettings, RateLimit } from './record.ts'

/** What of a request decides which limit holds. */
export interface LimitedRequest {
  readonly namespaceId: string
  /** Empty: it goes to no mount. */
  readonly mountUuid: string
  /** Below the mount, canonical. */
  readonly suffix: string
  /** Of a login, where some limit asks for it; else empty. */
  readonly role: string
}

export class RateLimitTable {
  readonly settings: QuotaSettings
  /** Whether some limit is about less than a whole namespace. */
  readonly asksForMount: boolean
  readonly #byTarget = new Map<string, RateLimit>()
  /** By mount, those with `*` at the end of their paths, the longest first. */
  readonly #globs = new Map<string, RateLimit[]>()
  readonly #mountsWithRoles = new Set<string>()
  readonly #exempt: PathSet

  constructor({ settings, rateLimits }: Quotas) {
    this.settings = settings
    this.#exempt = new PathSet(settings.exemptPaths)
    this.asksForMount = rateLimits.some(({ mountUuid }) => mountUuid !== '')
    for (const limit of rateLimits) this.#add(limit)
    for (const globs of this.#globs.values())
      globs.sort((a, b) => b.suffix.length - a.suffix.length)
  }

  #add(limit: RateLimit): void {
    const { mountUuid, suffix, role } = limit
    if (role !== '') this.#mountsWithRoles.add(mountUuid)
    if (!suffix.endsWith('*')) {
      this.#byTarget.set(targetOf(limit), limit)
      return
    }
    const others = this.#globs.get(mountUuid)
    if (others === undefined) this.#globs.set(mountUuid, [limit])
    else others.push(limit)
  }

  /** Whether it matters as which role somebody logs in there. */
  asksForRole(mountUuid: string): boolean {
    return this.#mountsWithRoles.has(mountUuid)
  }

  /** @param path relative to its namespace */
  isExempt(path: string): boolean {
    return this.#exempt.has(path)
  }

  /** hot: by role, path, beginning of the path, mount, namespace. */
  find({ namespaceId, mountUuid, suffix, role }: LimitedRequest): RateLimit | undefined {
    const at = { namespaceId, mountUuid, suffix: '', role: '' }
    if (mountUuid !== '') {
      const found =
        (role === '' ? undefined : this.#byTarget.get(targetOf({ ...at, role }))) ??
        (suffix === '' ? undefined : this.#byTarget.get(targetOf({ ...at, suffix }))) ??
        this.#globs.get(mountUuid)?.find((limit) => suffix.startsWith(limit.suffix.slice(0, -1))) ??
        this.#byTarget.get(targetOf(at))
      if (found !== undefined) return found
    }
    return this.ofNamespace(namespaceId)
  }

  /** The limit of a namespace as a whole. */
  ofNamespace(namespaceId: string): RateLimit | undefined {
    return this.#byTarget.get(targetOf({ namespaceId, mountUuid: '', suffix: '', role: '' }))
  }
}

/** What a limit is about; two that are about the same would be one too many. */
export function targetOf({
  namespaceId,
  mountUuid,
  suffix,
  role,
}: Pick<RateLimit, 'namespaceId' | 'mountUuid' | 'suffix' | 'role'>): string {
  return mountUuid === '' ? `namespace ${namespaceId}` : `${mountUuid} ${role}\n${suffix}`
}

/** Paths with all that lies below them, or with `*` at the end, all that begins so. */
class PathSet {
  readonly #exact = new Set<string>()
  readonly #prefixes: readonly string[]

  constructor(paths: readonly string[]) {
    for (const path of paths) this.#exact.add(path.replace(/\/$/, ''))
    this.#prefixes = paths.flatMap((path) => (path.endsWith('*') ? [path.slice(0, -1)] : []))
  }

  has(path: string): boolean {
    if (this.#exact.size === 0) return false
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (this.#exact.has(path.slice(0, end))) return true
    }
    return this.#prefixes.some((prefix) => path.startsWith(prefix))
  }
}

const tables = new WeakMap<Quotas, RateLimitTable>()

/** hot: made once for each version of the record. */
export function rateLimitTable(quotas: Quotas): RateLimitTable {
  let table = tables.get(quotas)
  if (table === undefined) {
    table = new RateLimitTable(quotas)
    tables.set(quotas, table)
  }
  return table
}
