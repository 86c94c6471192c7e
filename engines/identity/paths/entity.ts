/** `entity`: who somebody is, whichever way they log in (contract: sys-auth.md, part 3). */
import { BadRequest, NotFound } from '../../../core/errors.ts'
import {
  demandLight,
  entityNamed,
  findEntity,
  newEntity,
  putEntity,
  removeEntity,
} from '../../../core/identity/entities.ts'
import { entityFolder, entityNameFolder, type Entity } from '../../../core/identity/records.ts'
import { boolean, keyValues, list, string } from '../../../core/plugin/fields.ts'
import { pageFields } from '../../../core/plugin/paging.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { shownMount } from '../mounts.ts'
import { listWithInfo, namesIn } from '../paging.ts'
import { assignable, contextOf, demandName, demandSameId, textsOrNull } from '../request.ts'
import { shownEntity } from '../shown.ts'

const fields = {
  id: string('Id of an entity that is there.').default(''),
  name: string('Name; unique, whatever its capitals.').default(''),
  metadata: keyValues('Texts to know about it.'),
  policies: list('Policies that all its tokens have.'),
  disabled: boolean('Nobody logs in as it, and none of its tokens is good for anything.'),
}
type EntityRequest = Request<typeof fields>

export const entityPaths = [
  path('entity', {
    summary: 'Makes an entity, or changes the one of that id or name',
    fields,
    operations: {
      async update(request) {
        const { id, name } = request.data
        return id === '' ? writeNamed(request, name) : writeKnown(request, id, name)
      },
    },
  }),
  path('entity/id', {
    summary: 'The ids of the entities',
    fields: pageFields,
    operations: {
      async list(request) {
        const context = contextOf(request)
        const ids = await namesIn(context.root, entityFolder(context.namespaceId), request.data)
        return listWithInfo(ids, async (id) => {
          const entity = await findEntity(context, id)
          return entity && entityInfo(request, entity)
        })
      },
    },
  }),
  path('entity/id/:id', {
    summary: 'The entity with this id',
    fields,
    operations: {
      read: async (request) => show(request, await findEntity(contextOf(request), request.data.id)),
      update(request) {
        demandSameId(request, request.data.id)
        return writeKnown(request, request.data.id, request.data.name)
      },
      delete: async (request) =>
        remove(request, await findEntity(contextOf(request), request.data.id)),
    },
  }),
  path('entity/name', {
    summary: 'The names of the entities',
    fields: pageFields,
    operations: {
      async list(request) {
        const { root, namespaceId } = contextOf(request)
        const folder = entityNameFolder(namespaceId)
        return { data: { keys: await namesIn(root, folder, request.data) } }
      },
    },
  }),
  path('entity/name/:name*', {
    summary: 'The entity of this name',
    fields,
    operations: {
      read: async (request) =>
        show(request, await entityNamed(contextOf(request), request.data.name)),
      update: (request) => writeNamed(request, request.data.name),
      delete: async (request) =>
        remove(request, await entityNamed(contextOf(request), request.data.name)),
    },
  }),
  path('entity/batch-delete', {
    summary: 'Removes several entities',
    fields: { entity_ids: list('Their ids.').default([]) },
    operations: {
      async update(request) {
        const { entity_ids: ids } = request.data
        if (ids.length === 0) throw new BadRequest('missing entity ids to delete')
        const context = contextOf(request)
        const found: Entity[] = []
        for (const id of new Set(ids)) {
          const entity = await findEntity(context, id)
          if (entity !== undefined) found.push(entity)
        }
        demandLight(found, 'entity_ids')
        for (const entity of found) removeEntity(context, entity)
        return undefined
      },
    },
  }),
]

async function writeNamed(request: EntityRequest, name: string): Promise<Response | undefined> {
  const context = contextOf(request)
  const before = name === '' ? undefined : await entityNamed(context, name)
  demandSameId(request, before?.id)
  if (before !== undefined) return write(request, before, before)
  return write(request, undefined, newEntity(context, name === '' ? undefined : demandName(name)))
}

async function writeKnown(request: EntityRequest, id: string, name: string) {
  const before = await findEntity(contextOf(request), id)
  if (before === undefined) throw new BadRequest('entity not found from id')
  return write(request, before, name === '' ? before : { ...before, name: demandName(name) })
}

/** @returns what the client has to know of one that is new */
async function write(
  request: EntityRequest,
  before: Entity | undefined,
  named: Entity,
): Promise<Response | undefined> {
  const { data, nowMs } = request
  const entity: Entity = {
    ...named,
    ...(data.metadata !== undefined && { metadata: textsOrNull(data.metadata) }),
    ...(data.policies !== undefined && { policies: assignable(data.policies) }),
    ...(data.disabled !== undefined && { disabled: data.disabled }),
    updatedAtMs: nowMs,
  }
  await putEntity(contextOf(request), before, entity)
  if (before !== undefined) return undefined
  return { data: { id: entity.id, name: entity.name, aliases: null } }
}

async function show(request: EntityRequest, entity: Entity | undefined): Promise<Response> {
  if (entity === undefined) throw new NotFound()
  return { data: await shownEntity(contextOf(request), entity) }
}

async function remove(request: EntityRequest, entity: Entity | undefined): Promise<undefined> {
  if (entity !== undefined) removeEntity(contextOf(request), entity)
}

async function entityInfo(
  request: Request<typeof pageFields>,
  { name, aliases }: Entity,
): Promise<object> {
  if (aliases.length === 0) return { name }
  const shown = []
  for (const alias of aliases) {
    shown.push({
      id: alias.id,
      name: alias.name,
      mount_accessor: alias.mountAccessor,
      ...(await shownMount(contextOf(request), alias.mountUuid)),
    })
  }
  return { name, aliases: shown }
}
