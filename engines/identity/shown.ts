/** Entities, groups and aliases as answers have them (contract: sys-auth.md, part 3). */
import type { Place } from '../../core/identity/entities.ts'
import { groupsAbove, groupsOf, membersOf } from '../../core/identity/groups.ts'
import type { Alias, Entity, Group, GroupAlias } from '../../core/identity/records.ts'
import { shownMount } from './mounts.ts'

export async function shownEntity(place: Place, entity: Entity): Promise<Record<string, unknown>> {
  const direct = await groupsOf(place.root, entity)
  const directIds = direct.map(({ id }) => id)
  const ids = (await groupsAbove(place, direct)).map(({ id }) => id)
  const aliases = []
  for (const alias of entity.aliases) aliases.push(await aliasMembers(place, entity.id, alias))
  return {
    id: entity.id,
    name: entity.name,
    metadata: entity.metadata,
    policies: entity.policies,
    disabled: entity.disabled,
    aliases,
    group_ids: ids,
    direct_group_ids: directIds,
    inherited_group_ids: ids.filter((id) => !directIds.includes(id)),
    merged_entity_ids: orNull(entity.merged),
    namespace_id: place.namespaceId,
    ...times(entity),
  }
}

export async function shownAlias(place: Place, entityId: string, alias: Alias) {
  return { ...(await aliasMembers(place, entityId, alias)), namespace_id: place.namespaceId }
}

async function aliasMembers(place: Place, canonicalId: string, alias: Alias) {
  return {
    id: alias.id,
    canonical_id: canonicalId,
    name: alias.name,
    metadata: alias.metadata,
    custom_metadata: alias.customMetadata,
    mount_accessor: alias.mountAccessor,
    ...(await shownMount(place, alias.mountUuid)),
    merged_from_canonical_ids: orNull(alias.mergedFrom),
    local: false,
    ...times(alias),
  }
}

export async function shownGroup(place: Place, group: Group): Promise<Record<string, unknown>> {
  return {
    id: group.id,
    name: group.name,
    type: group.type,
    metadata: group.metadata,
    policies: orNull(group.policies),
    member_entity_ids: orNull(await membersOf(place, group.id)),
    member_group_ids: orNull(group.memberGroupIds),
    parent_group_ids: orNull(group.parentGroupIds),
    alias: group.alias === null ? {} : await groupAliasMembers(place, group.id, group.alias),
    modify_index: group.modifyIndex,
    namespace_id: place.namespaceId,
    ...times(group),
  }
}

export async function shownGroupAlias(place: Place, groupId: string, alias: GroupAlias) {
  return {
    ...(await groupAliasMembers(place, groupId, alias)),
    custom_metadata: null,
    local: false,
    namespace_id: place.namespaceId,
  }
}

async function groupAliasMembers(place: Place, canonicalId: string, alias: GroupAlias) {
  return {
    id: alias.id,
    canonical_id: canonicalId,
    name: alias.name,
    metadata: null,
    mount_accessor: alias.mountAccessor,
    ...(await shownMount(place, alias.mountUuid)),
    merged_from_canonical_ids: null,
    ...times(alias),
  }
}

function times({ createdAtMs, updatedAtMs }: Pick<Entity, 'createdAtMs' | 'updatedAtMs'>) {
  return { creation_time: new Date(createdAtMs), last_update_time: new Date(updatedAtMs) }
}

/** As Go shows a list that was never filled. */
function orNull(list: readonly string[]): readonly string[] | null {
  return list.length === 0 ? null : list
}
