/** Finds groups and changes them, with their members and all that leads to them. */
import { BadRequest } from '../errors.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { View } from '../store/view.ts'
import {
  findEntityAbove,
  replaceEntity,
  withGroups,
  type IdentityContext,
  type Place,
} from './entities.ts'
import {
  groupAliasKey,
  groupAliasNameKey,
  groupKey,
  groupNameKey,
  groups,
  identityLinks,
  memberFolder,
  type Entity,
  type Group,
  type Membership,
} from './records.ts'

/** Groups of one entity, with all above them: what is asked for at a request has to stay small. */
const MOST_GROUPS = 1_000
/** Members that one request may change: each is a record of its own. */
const MOST_MEMBERS = 200

/** hot: the group with this id. */
export function findGroup({ root, namespaceId }: Place, id: string): Awaitable<Group | undefined> {
  return root.get(groups, groupKey(namespaceId, id))
}

export async function groupNamed(place: Place, name: string): Promise<Group | undefined> {
  const link = await place.root.get(identityLinks, groupNameKey(place.namespaceId, name))
  return link && findGroup(place, link.id)
}

export async function groupWithAlias(place: Place, aliasId: string): Promise<Group | undefined> {
  const link = await place.root.get(identityLinks, groupAliasKey(place.namespaceId, aliasId))
  return link && findGroup(place, link.id)
}

/** The external group that an auth mount calls so. */
export async function groupCalled(
  place: Place,
  mountAccessor: string,
  name: string,
): Promise<Group | undefined> {
  const key = groupAliasNameKey(place.namespaceId, mountAccessor, name)
  const link = await place.root.get(identityLinks, key)
  return link && findGroup(place, link.id)
}

export function newGroup(
  { nowMs, random, namespaceId }: IdentityContext,
  name: string,
  type: Group['type'],
): Group {
  return {
    id: random.uuid(),
    namespaceId,
    name: name === '' ? `group_${random.nonce(4).toString('hex')}.${namespaceId}` : name,
    type,
    metadata: null,
    policies: [],
    memberGroupIds: [],
    parentGroupIds: [],
    alias: null,
    modifyIndex: 0,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  }
}

/**
 * Writes the group and what leads to it, and tells the groups in it whose they are.
 *
 * @param before as it was; `undefined`: it is new
 * @throws {BadRequest} another one has the name; a group in it is not there, or it is in that group
 */
export async function putGroup(
  context: IdentityContext,
  before: Group | undefined,
  changed: Group,
): Promise<void> {
  const { root, namespaceId, nowMs } = context
  const group = { ...changed, modifyIndex: changed.modifyIndex + 1, updatedAtMs: nowMs }
  if (group.name !== before?.name) {
    if (await groupNamed(context, group.name)) throw new BadRequest('group name is already in use')
    if (before !== undefined) root.delete(groupNameKey(namespaceId, before.name))
    root.put(identityLinks, groupNameKey(namespaceId, group.name), { id: group.id })
  }
  linkAlias(context, before, group)
  await linkMemberGroups(context, before, group)
  root.put(groups, groupKey(namespaceId, group.id), group)
}

function linkAlias({ root, namespaceId }: Place, before: Group | undefined, group: Group): void {
  const old = before?.alias
  if (old) {
    root.delete(groupAliasKey(namespaceId, old.id))
    root.delete(groupAliasNameKey(namespaceId, old.mountAccessor, old.name))
  }
  if (group.alias === null) return
  const { id, mountAccessor, name } = group.alias
  root.put(identityLinks, groupAliasKey(namespaceId, id), { id: group.id })
  root.put(identityLinks, groupAliasNameKey(namespaceId, mountAccessor, name), { id: group.id })
}

async function linkMemberGroups(place: Place, before: Group | undefined, group: Group) {
  const had = new Set(before?.memberGroupIds)
  const has = new Set(group.memberGroupIds)
  const above = await groupsAbove(place, [group])
  for (const id of has) {
    if (had.has(id)) continue
    const member = await findGroup(place, id)
    if (member === undefined)
      throw new BadRequest('member_group_ids: there is no group of one of these ids')
    if (above.some((one) => one.id === id)) {
      throw new BadRequest(`cyclic relationship detected for member group ID "${id}"`)
    }
    setParents(place, member, [...member.parentGroupIds, group.id])
  }
  for (const id of had) {
    const member = has.has(id) ? undefined : await findGroup(place, id)
    if (member !== undefined) setParents(place, member, without(member.parentGroupIds, group.id))
  }
}

function setParents(
  { root, namespaceId }: Place,
  group: Group,
  parentGroupIds: Group['parentGroupIds'],
) {
  root.put(groups, groupKey(namespaceId, group.id), { ...group, parentGroupIds })
}

/**
 * hot: these and all that they are in, directly or not.
 *
 * @throws {BadRequest} they are too many
 */
export async function groupsAbove(
  { root }: Pick<Place, 'root'>,
  from: readonly Group[],
): Promise<readonly Group[]> {
  const found = new Map(from.map((group) => [group.id, group]))
  for (const { namespaceId, parentGroupIds } of found.values()) {
    for (const id of parentGroupIds) {
      const parent = found.has(id) ? undefined : await findGroup({ root, namespaceId }, id)
      if (parent !== undefined) found.set(id, parent)
    }
    if (found.size > MOST_GROUPS) {
      throw new BadRequest(`an entity may be in at most ${MOST_GROUPS} groups`)
    }
  }
  return [...found.values()]
}

/** hot: the groups that the entity is in directly. */
export async function groupsOf(root: View, entity: Entity): Promise<readonly Group[]> {
  const found: Group[] = []
  for (const { groupId, namespaceId } of entity.groups) {
    const group = await findGroup({ root, namespaceId }, groupId)
    if (group !== undefined) found.push(group)
  }
  return found
}

/** The ids of the entities in the group itself, in order. */
export function membersOf({ root, namespaceId }: Place, groupId: string): Promise<string[]> {
  return root.list(memberFolder(namespaceId, groupId))
}

/** @throws {BadRequest} an entity is not there, or there are too many changes for one request */
export async function setMembers(
  place: Place,
  group: Group,
  ids: readonly string[],
): Promise<void> {
  const wanted = new Set(ids)
  const had = new Set(await membersOf(place, group.id))
  const changes = [...wanted].filter((id) => !had.has(id)).length
  const removals = [...had].filter((id) => !wanted.has(id)).length
  if (changes + removals > MOST_MEMBERS) {
    throw new BadRequest(
      `member_entity_ids changes ${changes + removals} members; at most ${MOST_MEMBERS} can be changed at once`,
    )
  }
  const membership = { groupId: group.id, namespaceId: group.namespaceId }
  for (const id of wanted) {
    if (!had.has(id)) await changeMemberships(place, id, (now) => [...now, membership])
  }
  for (const id of had) {
    if (!wanted.has(id)) {
      await changeMemberships(place, id, (now) => now.filter((one) => one.groupId !== group.id))
    }
  }
}

async function changeMemberships(
  place: Place,
  entityId: string,
  change: (now: readonly Membership[]) => readonly Membership[],
): Promise<void> {
  const found = await findEntityAbove(place, entityId)
  if (found === undefined)
    throw new BadRequest('member_entity_ids: there is no entity of one of these ids')
  const { entity, namespaceId } = found
  const changed = withGroups(place.root, entity, change(entity.groups))
  replaceEntity({ root: place.root, namespaceId }, changed)
}

/** @throws {BadRequest} it has too many members to be removed at once */
export async function removeGroup(place: Place, group: Group): Promise<void> {
  const { root, namespaceId } = place
  await setMembers(place, group, [])
  for (const id of group.memberGroupIds) {
    const member = await findGroup(place, id)
    if (member !== undefined) setParents(place, member, without(member.parentGroupIds, group.id))
  }
  for (const id of group.parentGroupIds) {
    const parent = await findGroup(place, id)
    if (parent === undefined) continue
    const memberGroupIds = without(parent.memberGroupIds, group.id)
    root.put(groups, groupKey(namespaceId, id), { ...parent, memberGroupIds })
  }
  linkAlias(place, group, { ...group, alias: null })
  root.delete(groupNameKey(namespaceId, group.name))
  root.delete(groupKey(namespaceId, group.id))
}

function without(ids: readonly string[], id: string): readonly string[] {
  return ids.filter((one) => one !== id)
}
