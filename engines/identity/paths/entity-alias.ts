/** `entity-alias`: how an auth mount calls an entity. `alias` and `persona` are its older names. */
import { BadRequest, NotFound } from '../../../core/errors.ts'
import {
  aliasWithId,
  entityOfAlias,
  findEntity,
  newAlias,
  newEntity,
  putEntity,
  type IdentityContext,
  type Known,
} from '../../../core/identity/entities.ts'
import { aliasFolder, type Alias, type Entity } from '../../../core/identity/records.ts'
import { keyValues, string } from '../../../core/plugin/fields.ts'
import { pageFields } from '../../../core/plugin/paging.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { demandMount, shownMount } from '../mounts.ts'
import { listWithInfo, namesIn } from '../paging.ts'
import { contextOf, demandSameId, textsOrNull } from '../request.ts'
import { shownAlias } from '../shown.ts'

const MAX_CUSTOM = 64
const MAX_CUSTOM_NAME = 128
const MAX_CUSTOM_TEXT = 512

const fields = {
  id: string('Id of an alias that is there.').default(''),
  name: string('What the auth mount calls the entity.').default(''),
  canonical_id: string('The entity; without it a new one is made.').default(''),
  entity_id: string('Old name of `canonical_id`.').deprecated().default(''),
  mount_accessor: string('Accessor of the auth mount.').default(''),
  custom_metadata: keyValues('Texts of your own; at most 64.'),
}
type AliasRequest = Request<typeof fields>

export const entityAliasPaths = ['entity-alias', 'alias', 'persona'].flatMap((name) => [
  path(name, {
    summary: 'Makes an alias, or changes it',
    fields,
    operations: { update: write },
  }),
  path(`${name}/id`, {
    summary: 'The ids of the aliases',
    fields: pageFields,
    operations: { list },
  }),
  path(`${name}/id/:id`, {
    summary: 'The alias with this id',
    fields,
    operations: { read: show, update: write, delete: remove },
  }),
])

async function write(request: AliasRequest): Promise<Response | undefined> {
  const context = contextOf(request)
  const { data } = request
  if (data.id !== '') {
    demandSameId(request, data.id)
    const known = await aliasWithId(context, data.id)
    if (known === undefined) throw new BadRequest('invalid alias ID provided')
    return change(request, context, known)
  }
  if (data.mount_accessor === '' || data.name === '') {
    throw new BadRequest("'id' or 'mount_accessor' and 'name' must be provided")
  }
  const mount = await demandMount(context, data.mount_accessor)
  const known = await entityOfAlias(context, data.mount_accessor, data.name)
  if (known !== undefined) return change(request, context, known)
  const alias = { ...newAlias(context, mount, data.name), customMetadata: customOf(request, null) }
  return create(context, canonicalId(request), alias)
}

async function create(context: IdentityContext, id: string, alias: Alias): Promise<Response> {
  const before = id === '' ? undefined : await findEntity(context, id)
  if (id !== '' && before === undefined) throw new BadRequest('invalid canonical ID')
  if (before?.aliases.some((one) => one.mountAccessor === alias.mountAccessor)) {
    throw new BadRequest('Alias already exists for requested entity and mount accessor')
  }
  const entity = before ?? newEntity(context)
  await putEntity(context, before, { ...entity, aliases: [...entity.aliases, alias] })
  return answer(alias, entity.id)
}

/** The name, the mount, the entity, or what is told about it. */
async function change(
  request: AliasRequest,
  context: IdentityContext,
  { entity, alias }: Known,
): Promise<Response | undefined> {
  const { data, nowMs } = request
  const name = data.name || alias.name
  const mountAccessor = data.mount_accessor || alias.mountAccessor
  const customMetadata = customOf(request, alias.customMetadata)
  const toId = canonicalId(request) || entity.id
  const renamed = name !== alias.name || mountAccessor !== alias.mountAccessor
  if (!renamed && toId === entity.id && isSame(customMetadata, alias.customMetadata)) {
    return undefined
  }
  const mount = await demandMount(context, mountAccessor)
  if (renamed && (await entityOfAlias(context, mountAccessor, name)) !== undefined) {
    throw new BadRequest('alias with combination of mount accessor and name already exists')
  }
  const target = toId === entity.id ? entity : await findEntity(context, toId)
  if (target === undefined) {
    throw new BadRequest("given 'canonical_id' is not associated with an entity")
  }
  const others = target.aliases.filter(({ id }) => id !== alias.id)
  if (others.some((one) => one.mountAccessor === mountAccessor)) {
    throw new BadRequest(
      'Alias cannot be updated as the given entity already has an alias for this mount',
    )
  }
  const changed: Alias = {
    ...alias,
    name,
    mountAccessor,
    mountUuid: mount.uuid,
    customMetadata,
    updatedAtMs: nowMs,
  }
  await move(context, entity, target, changed)
  return answer(changed, target.id)
}

async function move(
  context: IdentityContext,
  from: Entity,
  to: Entity,
  alias: Alias,
): Promise<void> {
  if (from.id !== to.id) await putEntity(context, from, without(from, alias.id))
  const kept = to.aliases.some(({ id }) => id === alias.id)
    ? to.aliases.map((one) => (one.id === alias.id ? alias : one))
    : [...to.aliases, alias]
  await putEntity(context, to, { ...to, aliases: kept })
}

async function remove(request: AliasRequest): Promise<undefined> {
  const context = contextOf(request)
  const known = await aliasWithId(context, request.data.id)
  if (known === undefined) return
  await putEntity(context, known.entity, without(known.entity, known.alias.id))
}

async function show(request: AliasRequest): Promise<Response> {
  const context = contextOf(request)
  const known = await aliasWithId(context, request.data.id)
  if (known === undefined) throw new NotFound()
  return { data: await shownAlias(context, known.entity.id, known.alias) }
}

async function list(request: Request<typeof pageFields>): Promise<Response> {
  const context = contextOf(request)
  const ids = await namesIn(context.root, aliasFolder(context.namespaceId), request.data)
  return listWithInfo(ids, async (id) => {
    const known = await aliasWithId(context, id)
    return (
      known && {
        name: known.alias.name,
        canonical_id: known.entity.id,
        mount_accessor: known.alias.mountAccessor,
        ...(await shownMount(context, known.alias.mountUuid)),
        local: false,
        custom_metadata: known.alias.customMetadata,
      }
    )
  })
}

function answer({ id }: Alias, entityId: string): Response {
  return { data: { id, canonical_id: entityId } }
}

function without(entity: Entity, aliasId: string): Entity {
  return { ...entity, aliases: entity.aliases.filter(({ id }) => id !== aliasId) }
}

function canonicalId({ data }: AliasRequest): string {
  return data.canonical_id || data.entity_id
}

/** @throws {BadRequest} too many, or too long */
function customOf(
  { data }: AliasRequest,
  before: Alias['customMetadata'],
): Alias['customMetadata'] {
  const { custom_metadata: given } = data
  if (given === undefined) return before
  const entries = Object.entries(given)
  if (entries.length > MAX_CUSTOM) {
    throw new BadRequest(`custom_metadata has ${entries.length} texts; at most ${MAX_CUSTOM}`)
  }
  for (const [name, text] of entries) {
    if (Buffer.byteLength(name) <= MAX_CUSTOM_NAME && Buffer.byteLength(text) <= MAX_CUSTOM_TEXT) {
      continue
    }
    throw new BadRequest(
      `custom_metadata is too long: a name has at most ${MAX_CUSTOM_NAME} bytes, a text ${MAX_CUSTOM_TEXT}`,
    )
  }
  return textsOrNull(given)
}

function isSame(a: Alias['customMetadata'], b: Alias['customMetadata']): boolean {
  const sorted = (texts: Alias['customMetadata']) =>
    JSON.stringify(Object.entries(texts ?? {}).sort())
  return sorted(a) === sorted(b)
}
