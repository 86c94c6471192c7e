/** Whom a login makes known: the entity of its alias, made where there is none, and the external groups that it is in. */
import { PermissionDenied } from '../errors.ts'
import type { MountEntry } from '../mounts/record.ts'
import {
  entityOfAlias,
  newAlias,
  newEntity,
  putEntity,
  replaceEntity,
  withGroups,
  type IdentityContext,
} from './entities.ts'
import { groupCalled } from './groups.ts'
import type { Alias, Entity, Membership } from './records.ts'

/** What the auth method says of who logs in. */
export interface LoginAlias {
  /** Unique in the mount, and the same at each login. */
  readonly name: string
  readonly metadata?: Readonly<Record<string, string>>
}

type Mounted = Pick<MountEntry, 'accessor' | 'uuid'>

/**
 * hot: writes nothing where nothing is new.
 *
 * @param groupNames as the method calls the groups; `undefined`: it says nothing of groups
 * @throws {PermissionDenied} the entity is disabled
 */
export async function identify(
  context: IdentityContext,
  mount: Mounted,
  login: LoginAlias,
  groupNames?: readonly string[],
): Promise<Entity> {
  const known = await entityOfAlias(context, mount.accessor, login.name)
  if (known === undefined) return begin(context, mount, login, groupNames)
  const { entity, alias } = known
  if (entity.disabled) throw new PermissionDenied()
  let current = entity
  if (login.metadata !== undefined && !isSame(alias.metadata, login.metadata)) {
    current = withAlias(current, { ...alias, metadata: login.metadata, updatedAtMs: context.nowMs })
  }
  if (groupNames !== undefined) current = await refreshGroups(context, mount, current, groupNames)
  if (current !== entity) replaceEntity(context, current)
  return current
}

async function begin(
  context: IdentityContext,
  mount: Mounted,
  { name, metadata }: LoginAlias,
  groupNames: readonly string[] = [],
): Promise<Entity> {
  const alias = { ...newAlias(context, mount, name), metadata: metadata ?? null }
  const made = { ...newEntity(context), aliases: [alias] }
  const entity = await refreshGroups(context, mount, made, groupNames)
  await putEntity(context, undefined, entity)
  return entity
}

function withAlias(entity: Entity, alias: Alias): Entity {
  return { ...entity, aliases: entity.aliases.map((one) => (one.id === alias.id ? alias : one)) }
}

/** The groups of this mount become those that it names; those of other mounts, and internal ones, stay. */
export async function refreshGroups(
  context: IdentityContext,
  { accessor }: Pick<MountEntry, 'accessor'>,
  entity: Entity,
  groupNames: readonly string[],
): Promise<Entity> {
  const { root, namespaceId } = context
  const memberships: Membership[] = entity.groups.filter((one) => one.mountAccessor !== accessor)
  for (const name of new Set(groupNames)) {
    const group = await groupCalled(context, accessor, name)
    if (group !== undefined) {
      memberships.push({ groupId: group.id, namespaceId, mountAccessor: accessor })
    }
  }
  const before = new Set(entity.groups.map(({ groupId }) => groupId))
  const same =
    before.size === memberships.length && memberships.every((one) => before.has(one.groupId))
  return same ? entity : withGroups(root, entity, memberships)
}

function isSame(a: Alias['metadata'], b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(b)
  if (Object.keys(a ?? {}).length !== names.length) return false
  return names.every((name) => a !== null && Object.hasOwn(a, name) && a[name] === b[name])
}
