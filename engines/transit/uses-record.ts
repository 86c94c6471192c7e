/**
 * What is kept of who used a key: of each version the sums, and the users that were seen last. Whoever is not among the
 * last counts in the sums, and the version says that there were more.
 */
import {
  OPERATIONS,
  type KeyOperation,
  type KeyUses,
  type TransitKey,
  type UserUses,
  type VersionUses,
} from './records.ts'

export const USERS_OF_VERSION = 50
/** Over all versions, so that the record stays small; those that were not seen for longest go first. */
export const USERS_OF_KEY = 1000

/** Counts of operations, and the time of the last. */
export type OperationUses = { [O in KeyOperation]?: { count: number; lastAtMs: number } }
export type User = Omit<UserUses, 'operations'>

/** What one user did with one version. */
export interface Noted {
  /** `undefined`: users for whom there was no room. */
  readonly who: User | undefined
  readonly operations: OperationUses
}

/** By version and user. */
export type NotedVersions = ReadonlyMap<number, ReadonlyMap<string, Noted>>

/** Whom two requests have in common: the entity, else what the token is called and where it comes from. */
export function nameOfUser({ entityId, namespaceId, role, displayName }: User): string {
  return entityId === '' ? JSON.stringify([namespaceId, role, displayName]) : entityId
}

/** Adds what was noted; versions that the key has no more are left out. */
export function withNoted(
  before: KeyUses,
  noted: NotedVersions,
  { versions }: Pick<TransitKey, 'versions'>,
): KeyUses {
  const after = new Map(Object.entries(before))
  for (const [number, users] of noted) {
    const known = after.get(String(number)) ?? UNUSED
    after.set(String(number), latestUsers(withUsers(known, [...users.values()]), USERS_OF_VERSION))
  }
  return bounded([...after].filter(([number]) => versions[number] !== undefined))
}

export const UNUSED: VersionUses = { operations: {}, users: [], more: false }

function withUsers(before: VersionUses, noted: readonly Noted[]): VersionUses {
  const users = new Map(before.users.map((user) => [nameOfUser(user), user]))
  let { operations, more } = before
  for (const { who, operations: done } of noted) {
    operations = sumOf(operations, done)
    if (who === undefined) {
      more = true
      continue
    }
    const { entityId, namespaceId, role, displayName } = who
    const name = nameOfUser(who)
    const all = sumOf(users.get(name)?.operations ?? {}, done)
    users.set(name, { entityId, namespaceId, role, displayName, operations: all })
  }
  return { operations, users: [...users.values()], more }
}

function sumOf(one: OperationUses, other: OperationUses): OperationUses {
  const sum = { ...one }
  for (const operation of operationsOf(other)) {
    const [known, more] = [sum[operation], other[operation]]
    if (more === undefined) continue
    sum[operation] = {
      count: (known?.count ?? 0) + more.count,
      lastAtMs: Math.max(known?.lastAtMs ?? 0, more.lastAtMs),
    }
  }
  return sum
}

function operationsOf(uses: OperationUses): readonly KeyOperation[] {
  return OPERATIONS.filter((operation) => uses[operation] !== undefined)
}

/** When something was done the last time; 0: never. */
export function lastOf(uses: OperationUses): number {
  return Math.max(0, ...operationsOf(uses).map((operation) => uses[operation]?.lastAtMs ?? 0))
}

/** The last one first. */
function latestUsers(version: VersionUses, most: number): VersionUses {
  const users = version.users.toSorted((a, b) => lastOf(b.operations) - lastOf(a.operations))
  return { ...version, users: users.slice(0, most), more: version.more || users.length > most }
}

function bounded(versions: readonly (readonly [string, VersionUses])[]): KeyUses {
  const lasts = versions
    .flatMap(([, { users }]) => users.map(({ operations }) => lastOf(operations)))
    .toSorted((a, b) => b - a)
  const oldest = lasts[USERS_OF_KEY] ?? -1
  const kept = versions.map(([number, version]) => {
    const recent = version.users.filter(({ operations }) => lastOf(operations) > oldest)
    return [number, latestUsers(version, recent.length)] as const
  })
  return Object.fromEntries(kept)
}
