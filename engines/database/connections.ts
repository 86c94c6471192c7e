/**
 * The pools of this node, one for each configuration that was used. A changed configuration has another generation, and its
 * pool is made anew with the next use, on every node; so nothing needs to be told to anybody.
 */
import type { Clock } from '../../core/clock.ts'
import { findDatabase } from './databases.ts'
import type { Session } from './database.ts'
import { Pool } from './pool.ts'
import type { Config } from './records.ts'

/** Which configuration of which mount. */
export interface ConnectionName {
  readonly mountUuid: string
  readonly name: string
}

export class Connections {
  readonly #clock: Clock
  readonly #pools = new Map<string, { readonly generation: string; readonly pool: Pool }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Does it with a connection of the configuration. */
  use<T>(
    at: ConnectionName,
    config: Config,
    signal: AbortSignal,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    return this.#pool(at, config).use(signal, work)
  }

  /** The next use connects anew. */
  drop({ mountUuid, name }: ConnectionName): void {
    const key = keyOf({ mountUuid, name })
    this.#pools.get(key)?.pool.close()
    this.#pools.delete(key)
  }

  close(): void {
    for (const { pool } of this.#pools.values()) pool.close()
    this.#pools.clear()
  }

  #pool(at: ConnectionName, config: Config): Pool {
    const key = keyOf(at)
    const known = this.#pools.get(key)
    if (known?.generation === config.generation) return known.pool
    known?.pool.close()
    const access = findDatabase(config.pluginName).read(config.details)
    const pool = new Pool(access, this.#clock)
    this.#pools.set(key, { generation: config.generation, pool })
    return pool
  }
}

const keyOf = ({ mountUuid, name }: ConnectionName) => `${mountUuid}/${name}`

/** A connection of its own, for what is not in force yet. */
export async function withSession<T>(
  { pluginName, details }: Pick<Config, 'pluginName' | 'details'>,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await findDatabase(pluginName).read(details).connect(signal)
  const close = () => session.close()
  signal.addEventListener('abort', close)
  try {
    return await work(session)
  } finally {
    signal.removeEventListener('abort', close)
    session.close()
  }
}
