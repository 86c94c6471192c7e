/** `group-alias`: how an auth mount calls an external group. */
import { BadRequest, NotFound } from '../../../core/errors.ts'
import {
  findGroup,
  groupCalled,
  groupWithAlias,
  newGroup,
  putGroup,
} from '../../../core/identity/groups.ts'
import { groupAliasFolder, type Group, type GroupAlias } from '../../../core/identity/records.ts'
import { string } from '../../../core/plugin/fields.ts'
import { pageFields } from '../../../core/plugin/paging.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { demandMount, shownMount } from '../mounts.ts'
import { listWithInfo, namesIn } from '../paging.ts'
import { contextOf, demandSameId } from '../request.ts'
import { shownGroupAlias } from '../shown.ts'

const fields = {
  id: string('Id of an alias that is there.').default(''),
  name: string('What the auth mount calls the group.').default(''),
  mount_accessor: string('Accessor of the auth mount.').default(''),
  canonical_id: string('The external group; without it a new one is made.').default(''),
}
type AliasRequest = Request<typeof fields>

export const groupAliasPaths = [
  path('group-alias', {
    summary: 'Makes an alias of a group, or changes it',
    fields,
    operations: { update: write },
  }),
  path('group-alias/id', {
    summary: 'The ids of the aliases of groups',
    fields: pageFields,
    operations: { list },
  }),
  path('group-alias/id/:id', {
    summary: 'The alias with this id',
    fields,
    operations: { read: show, update: write, delete: remove },
  }),
]

async function write(request: AliasRequest): Promise<Response> {
  const context = contextOf(request)
  const { data, nowMs, random } = request
  if (data.id !== '') demandSameId(request, data.id)
  if (data.mount_accessor === '') throw new BadRequest('missing mount_accessor')
  if (data.name === '') throw new BadRequest('missing alias name')
  const mount = await demandMount(context, data.mount_accessor)
  const called = await groupCalled(context, mount.accessor, data.name)
  const before = data.id === '' ? called : await groupWithAlias(context, data.id)
  if (data.id !== '' && before === undefined) throw new BadRequest('invalid group alias ID')
  if (called !== undefined && called.id !== before?.id) {
    throw new BadRequest('alias with combination of mount accessor and name already exists')
  }
  const group = await groupToHave(request, before)
  const old = before?.alias ?? group.alias
  const alias: GroupAlias = {
    id: old?.id ?? random.uuid(),
    name: data.name,
    mountAccessor: mount.accessor,
    mountUuid: mount.uuid,
    createdAtMs: old?.createdAtMs ?? nowMs,
    updatedAtMs: nowMs,
  }
  if (before !== undefined && before.id !== group.id) {
    await putGroup(context, before, { ...before, alias: null })
  }
  const known = await findGroup(context, group.id)
  await putGroup(context, known, { ...group, alias })
  return { data: { id: alias.id, canonical_id: group.id } }
}

/** The external group that is to have the alias. */
async function groupToHave(request: AliasRequest, before: Group | undefined): Promise<Group> {
  const context = contextOf(request)
  const { canonical_id: id } = request.data
  if (id === '') return before ?? newGroup(context, '', 'external')
  const group = await findGroup(context, id)
  if (group === undefined) throw new BadRequest("invalid group ID given in 'canonical_id'")
  if (group.type === 'internal') throw new BadRequest("alias can't be set on an internal group")
  return group
}

async function show(request: AliasRequest): Promise<Response> {
  const context = contextOf(request)
  const group = await groupWithAlias(context, request.data.id)
  if (!group?.alias) throw new NotFound()
  return { data: await shownGroupAlias(context, group.id, group.alias) }
}

async function remove(request: AliasRequest): Promise<undefined> {
  const context = contextOf(request)
  const group = await groupWithAlias(context, request.data.id)
  if (group !== undefined) await putGroup(context, group, { ...group, alias: null })
}

async function list(request: Request<typeof pageFields>): Promise<Response> {
  const context = contextOf(request)
  const ids = await namesIn(context.root, groupAliasFolder(context.namespaceId), request.data)
  return listWithInfo(ids, async (id) => {
    const group = await groupWithAlias(context, id)
    if (!group?.alias) return undefined
    return {
      name: group.alias.name,
      canonical_id: group.id,
      mount_accessor: group.alias.mountAccessor,
      ...(await shownMount(context, group.alias.mountUuid)),
    }
  })
}
