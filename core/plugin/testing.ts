/**
 * `keyhold/plugin-testing`: a mount of a plugin without a server, for its tests. It finds paths, reads fields and keeps
 * records as the server does; what a handler wrote that then throws is not kept.
 */
import { NotFound, UnsupportedOperation } from '../errors.ts'
import { noPasswords } from '../external/host/no-passwords.ts'
import { RemoteRecords, type Source } from '../external/host/remote-records.ts'
import { systemClock } from '../clock.ts'
import { isJsonObject, parseJson, type JsonObject } from '../json.ts'
import { systemRandom } from '../random.ts'
import { View } from '../store/view.ts'
import { SYSTEM_TTL_SECONDS } from '../ttl.ts'
import type { Declarable, Handled } from './path.ts'
import { NOT_LOCAL } from './local.ts'
import { PathTable } from './pattern.ts'
import type { Plugin, PluginType, RenewedGrant, Renewal } from './plugin.ts'
import type { Caller, RequestBase } from './request.ts'

export interface TestRequest {
  readonly nowMs?: number
  readonly address?: string
  readonly caller?: Caller
  readonly headers?: Readonly<Record<string, string>>
}

export interface TestMount {
  /**
   * One request. @param path below the mount @param data fields as a client sends them
   * @throws what the handler throws; also for a path or operation that is not there
   */
  request(
    operation: Declarable,
    path: string,
    data?: Readonly<Record<string, unknown>>,
    more?: TestRequest,
  ): Promise<Handled>
  initialize(): Promise<void>
  /** @returns whether there is more to do */
  periodic(more?: TestRequest): Promise<boolean>
  renew(grant: Partial<RenewedGrant>): Promise<Renewal | undefined>
  /** Of all records, in order. */
  readonly keys: readonly string[]
}

/** @param version the mount's option of that name */
export function testMount(
  type: PluginType,
  { version }: { readonly version?: string } = {},
): TestMount {
  const plugin = type.create({ version })
  const table = new PathTable(plugin.paths)
  const kept = new Map<string, string>()

  async function commit<T>(work: (storage: View) => Promise<T>): Promise<T> {
    const draft = new Map(kept)
    const records = new RemoteRecords(sourceOf(draft))
    const result = await work(new View(records, ''))
    write(draft, records.take())
    kept.clear()
    for (const [key, text] of draft) kept.set(key, text)
    return result
  }

  return {
    request: (operation, path, given = {}, more = {}) =>
      commit(async (storage) => {
        const data = asSent(given)
        const listing = operation === 'list' || operation === 'scan'
        const match = table.find(path, { listing })
        if (match === undefined) throw new NotFound(`no path is like "${path}"`)
        const { tellsCreate, operations } = match.path
        const base = baseOf(type, { operation, path: match.canonical, data, storage, more })
        const prepared = match.path.prepare(base, { ...data, ...match.params })
        const creates = tellsCreate && operation === 'update' && !(await prepared.exists())
        const done = creates ? 'create' : operation
        if (!operations.has(done) && !(done === 'create' && operations.has('update'))) {
          throw new UnsupportedOperation()
        }
        return prepared.run(done)
      }),
    initialize: () => commit(async (storage) => plugin.initialize?.(contextOf(storage, {}))),
    periodic: (more = {}) =>
      commit(async (storage) => (await plugin.periodic?.(contextOf(storage, more))) ?? false),
    renew: (grant) =>
      commit(async (storage) =>
        renewal(
          plugin,
          baseOf(type, { operation: 'update', path: '', data: {}, storage, more: {} }),
          grant,
        ),
      ),
    get keys() {
      return [...kept.keys()].sort()
    },
  }
}

/** What becomes of it on its way through JSON. */
function asSent(data: Readonly<Record<string, unknown>>): JsonObject {
  const sent = parseJson(JSON.stringify(data))
  return isJsonObject(sent) ? sent : {}
}

async function renewal(
  plugin: Plugin,
  base: RequestBase,
  grant: Partial<RenewedGrant>,
): Promise<Renewal | undefined> {
  return plugin.renew?.(base, { policies: [], metadata: {}, internal: {}, ...grant })
}

function contextOf(storage: View, { nowMs = systemClock.nowMs() }: TestRequest) {
  return { storage, random: systemRandom, nowMs }
}

interface Base {
  readonly operation: Declarable
  readonly path: string
  readonly data: JsonObject
  readonly storage: View
  readonly more: TestRequest
}

function baseOf(
  { type, kind }: PluginType,
  { operation, path, data, storage, more }: Base,
): RequestBase {
  return {
    ...contextOf(storage, more),
    id: systemRandom.uuid(),
    operation,
    path,
    nameFolded: false,
    body: data,
    mount: {
      uuid: 'test',
      path: kind === 'auth' ? `auth/${type}/` : `${type}/`,
      type,
      accessor: `${type}_test`,
      options: {},
      defaultTtlSeconds: SYSTEM_TTL_SECONDS,
      maxTtlSeconds: SYSTEM_TTL_SECONDS,
      tokenType: 'default-service',
      lockout: { disable: true, threshold: 5, durationSeconds: 900, counterResetSeconds: 900 },
    },
    namespace: { id: 'root', path: '' },
    caller: more.caller,
    clientToken: '',
    local: NOT_LOCAL,
    wrapTtlSeconds: 0,
    client: { address: more.address ?? '127.0.0.1', port: 40_000 },
    headers: new Map(Object.entries(more.headers ?? {})),
    generatePassword: noPasswords,
  }
}

function sourceOf(records: Map<string, string>): Source {
  return {
    get: (key) => Promise.resolve(records.get(key) ?? null),
    list(prefix, { after = '', limit = Infinity }, writes) {
      write(records, writes)
      const names = new Set<string>()
      for (const key of records.keys()) {
        if (!key.startsWith(prefix)) continue
        const rest = key.slice(prefix.length)
        const slash = rest.indexOf('/')
        names.add(slash < 0 ? rest : rest.slice(0, slash + 1))
      }
      const inOrder = [...names].sort().filter((name) => name > after)
      return Promise.resolve(inOrder.slice(0, limit))
    },
  }
}

function write(
  records: Map<string, string>,
  writes: readonly (readonly [string, string | null])[],
) {
  for (const [key, text] of writes) {
    if (text === null) records.delete(key)
    else records.set(key, text)
  }
}
