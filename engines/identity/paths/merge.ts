/** `entity/merge`: several entities become one, which has their aliases and groups; their policies it does not get. */
import { BadRequest, listed, RequestError } from '../../../core/errors.ts'
import {
  demandLight,
  findEntity,
  putEntity,
  removeEntity,
  withGroups,
  type IdentityContext,
} from '../../../core/identity/entities.ts'
import type { Alias, Entity } from '../../../core/identity/records.ts'
import type { JsonObject } from '../../../core/json.ts'
import { boolean, list, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import { shownMount } from '../mounts.ts'
import { contextOf } from '../request.ts'

export const mergePath = path('entity/merge', {
  summary: 'Merges entities into one',
  // Whoever may only change entities must not become another that way (CVE-2021-41802).
  sudo: true,
  description:
    'The one gets their aliases and is in their groups. Where both have an alias of one mount, one has to be chosen.',
  fields: {
    from_entity_ids: list('Entities that become part of the other.').default([]),
    to_entity_id: string('The entity that stays.').default(''),
    conflicting_alias_ids_to_keep: list(
      'Of two aliases of one mount those that stay; with one entity in `from_entity_ids`.',
    ).default([]),
    force: boolean('Second factors of the entity that stays win over those of the others.').default(
      false,
    ),
  },
  operations: {
    async update(request) {
      const context = contextOf(request)
      const { to_entity_id: toId, from_entity_ids: fromIds } = request.data
      if (toId === '') throw new BadRequest('missing entity id to merge to')
      if (fromIds.length === 0) throw new BadRequest('missing entity ids to merge from')
      if (fromIds.includes(toId)) {
        throw new BadRequest('to_entity_id should not be present in from_entity_ids')
      }
      const to = await findEntity(context, toId)
      if (to === undefined) throw new BadRequest('entity id to merge to is invalid')
      const from: Entity[] = []
      for (const id of new Set(fromIds)) {
        const entity = await findEntity(context, id)
        if (entity === undefined) throw new BadRequest('entity id to merge from is invalid')
        from.push(entity)
      }
      demandLight([to, ...from], 'from_entity_ids')
      await merge(context, to, from, request.data.conflicting_alias_ids_to_keep)
      return undefined
    },
  },
})

async function merge(
  context: IdentityContext,
  to: Entity,
  from: readonly Entity[],
  keep: readonly string[],
): Promise<void> {
  const owned = [to, ...from].flatMap((entity) =>
    entity.aliases.map((alias) => ({ entity, alias })),
  )
  const clashes = clashesOf(to, from)
  const dropped = new Set<string>()
  for (const clash of clashes) {
    const loser = loserOf(clash, keep)
    if (loser === undefined || from.length > 1) throw await conflict(context, clashes)
    dropped.add(loser)
  }
  const aliases = owned
    .filter(({ alias }) => !dropped.has(alias.id))
    .map(({ entity, alias }) => (entity === to ? alias : moved(alias, entity, context.nowMs)))
  for (const entity of from) removeEntity(context, entity)
  const groups = new Map([...from, to].flatMap((one) => one.groups.map((g) => [g.groupId, g])))
  const merged = withGroups(context.root, to, [...groups.values()])
  await putEntity(context, to, {
    ...merged,
    aliases,
    merged: [...to.merged, ...from.flatMap((entity) => [...entity.merged, entity.id])],
    updatedAtMs: context.nowMs,
  })
}

function moved(alias: Alias, from: Entity, nowMs: number): Alias {
  return { ...alias, mergedFrom: [...alias.mergedFrom, from.id], updatedAtMs: nowMs }
}

/** Two aliases of one mount, of which one entity can have but one. */
interface Clash {
  readonly to: Entity
  readonly toAlias: Alias
  readonly from: Entity
  readonly fromAlias: Alias
}

function clashesOf(to: Entity, from: readonly Entity[]): readonly Clash[] {
  const held = new Map(to.aliases.map((alias) => [alias.mountAccessor, { entity: to, alias }]))
  const clashes: Clash[] = []
  for (const entity of from) {
    for (const alias of entity.aliases) {
      const other = held.get(alias.mountAccessor)
      if (other === undefined) held.set(alias.mountAccessor, { entity, alias })
      else clashes.push({ to: other.entity, toAlias: other.alias, from: entity, fromAlias: alias })
    }
  }
  return clashes
}

/** The id of the alias that goes; `undefined`: nobody has chosen. */
function loserOf({ toAlias, fromAlias }: Clash, keep: readonly string[]): string | undefined {
  if (keep.includes(toAlias.id) === keep.includes(fromAlias.id)) return undefined
  return keep.includes(toAlias.id) ? fromAlias.id : toAlias.id
}

async function conflict(
  context: IdentityContext,
  clashes: readonly Clash[],
): Promise<RequestError> {
  const lines = clashes.map(
    ({ to, toAlias, from, fromAlias }) =>
      `mountAccessor: ${toAlias.mountAccessor}, toEntity ID: ${to.id}, fromEntity ID: ${from.id}, conflicting toEntity alias ID: ${toAlias.id}, conflicting fromEntity alias ID: ${fromAlias.id}`,
  )
  const data: JsonObject[] = []
  for (const { to, toAlias, from, fromAlias } of clashes) {
    data.push(await shownClash(context, to, toAlias), await shownClash(context, from, fromAlias))
  }
  return new RequestError(400, listed(CLASHES, ...lines), { data })
}

const CLASHES =
  'toEntity and at least one fromEntity have aliases with the same mount accessor, repeat the merge request specifying exactly one fromEntity, clashes: '

async function shownClash(
  context: IdentityContext,
  entity: Entity,
  alias: Alias,
): Promise<JsonObject> {
  const { mount_path: mountPath, mount_type: mount } = await shownMount(context, alias.mountUuid)
  return {
    entity_id: entity.id,
    entity: entity.name,
    alias: alias.name,
    mount,
    mount_path: mountPath,
  }
}
