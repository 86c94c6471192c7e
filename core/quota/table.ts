/** The rate limits of a server, made ready for requests. */
import type { Quotas, QuotaSettings, RateLimit } from './record.ts'
import { TargetTable } from './target.ts'

export class RateLimitTable {
  readonly settings: QuotaSettings
  readonly limits: TargetTable<RateLimit>
  /** Whether some limit is about less than a whole namespace. */
  readonly asksForMount: boolean
  readonly #mountsWithRoles = new Set<string>()
  readonly #exempt: PathSet

  constructor({ settings, rateLimits }: Quotas) {
    this.settings = settings
    this.limits = new TargetTable(rateLimits)
    this.asksForMount = rateLimits.some(({ mountUuid }) => mountUuid !== '')
    this.#exempt = new PathSet(settings.exemptPaths)
    for (const { mountUuid, role } of rateLimits) {
      if (role !== '') this.#mountsWithRoles.add(mountUuid)
    }
  }

  /** Whether it matters as which role somebody logs in there. */
  asksForRole(mountUuid: string): boolean {
    return this.#mountsWithRoles.has(mountUuid)
  }

  /** @param path relative to its namespace */
  isExempt(path: string): boolean {
    return this.#exempt.has(path)
  }
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
