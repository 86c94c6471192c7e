/**
 * Who used which version of a key, for what and when last. A node gathers it in memory and writes it within a minute, so
 * no request pays for it; what a crash or a seal loses is a minute's.
 */
import type { LocalMount } from '../../core/plugin/local.ts'
import type { MountContext } from '../../core/plugin/plugin.ts'
import type { Caller, RequestBase } from '../../core/plugin/request.ts'
import { keyKey, keyUses, transitKeys, usesKey, type KeyOperation } from './records.ts'
import { nameOfUser, withNoted, type Noted, type NotedVersions } from './uses-record.ts'

/** Users of versions that a node gathers until it writes them; those beyond count in the sums only. */
const MAX_GATHERED = 50_000
/** Keys that are written together. */
const KEYS_OF_WRITE = 100

/** By key, version and user. */
type Gathered = Map<string, Map<number, Map<string, Noted>>>

/** hot: notes one operation. What nobody in particular did is left out. */
export function noteUse(
  { local, caller, nowMs }: Pick<RequestBase, 'local' | 'caller' | 'nowMs'>,
  keyId: string,
  version: number,
  operation: KeyOperation,
): void {
  if (caller === undefined) return
  let gathering = gatheringOf.get(local)
  if (gathering === undefined) {
    gathering = new Gathering(local)
    gatheringOf.set(local, gathering)
  }
  const { operations } = gathering.noted(keyId, version, caller)
  const known = operations[operation]
  if (known === undefined) {
    operations[operation] = { count: 1, lastAtMs: nowMs }
  } else {
    known.count++
    if (known.lastAtMs < nowMs) known.lastAtMs = nowMs
  }
}

const gatheringOf = new WeakMap<LocalMount, Gathering>()

class Gathering {
  readonly #local: LocalMount
  #gathered: Gathered = new Map()
  #size = 0

  constructor(local: LocalMount) {
    this.#local = local
  }

  /** hot */
  noted(keyId: string, version: number, caller: Caller): Noted {
    const users = this.#gathered.get(keyId)?.get(version)
    const name = nameOfCaller(caller)
    return users?.get(name) ?? this.#add(keyId, version, name, caller)
  }

  #add(keyId: string, version: number, name: string, caller: Caller): Noted {
    if (this.#size === 0) this.#local.defer(() => this.#write())
    const isFull = this.#size >= MAX_GATHERED
    const users = placed(placed(this.#gathered, keyId), version)
    const known = isFull ? users.get(NOBODY) : undefined
    if (known !== undefined) return known
    this.#size++
    const noted = { who: isFull ? undefined : caller, operations: {} }
    users.set(isFull ? NOBODY : name, noted)
    return noted
  }

  async #write(): Promise<void> {
    const gathered = [...this.#gathered]
    this.#gathered = new Map()
    this.#size = 0
    for (let at = 0; at < gathered.length; at += KEYS_OF_WRITE) {
      const some = gathered.slice(at, at + KEYS_OF_WRITE)
      await this.#local.transact((context) => writeAll(context, some))
    }
  }
}

/** No entity and no token is named so. */
const NOBODY = ''

/** The map that lies there, made where there is none. */
function placed<K, L, V>(map: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let found = map.get(key)
  if (found === undefined) {
    found = new Map()
    map.set(key, found)
  }
  return found
}

async function writeAll(
  { storage }: MountContext,
  gathered: readonly (readonly [string, NotedVersions])[],
): Promise<void> {
  for (const [id, versions] of gathered) {
    const key = await storage.get(transitKeys, keyKey(id))
    if (key === undefined) continue
    const before = (await storage.get(keyUses, usesKey(id))) ?? {}
    storage.put(keyUses, usesKey(id), withNoted(before, versions, key))
  }
}

const names = new WeakMap<Caller, string>()

function nameOfCaller(caller: Caller): string {
  let name = names.get(caller)
  if (name === undefined) {
    name = nameOfUser(caller)
    names.set(caller, name)
  }
  return name
}
