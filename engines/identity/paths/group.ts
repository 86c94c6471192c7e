/** `group`: entities that have policies in common; external ones are filled by what an auth method says at login. */
import { BadRequest, NotFound } from '../../../core/errors.ts'
import {
  findGroup,
  groupNamed,
  membersOf,
  newGroup,
  putGroup,
  removeGroup,
  setMembers,
} from '../../../core/identity/groups.ts'
import { groupFolder, groupNameFolder, type Group } from '../../../core/identity/records.ts'
import { keyValues, list, string } from '../../../core/plugin/fields.ts'
import { pageFields } from '../../../core/plugin/paging.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { shownMount } from '../mounts.ts'
import { listWithInfo, namesIn } from '../paging.ts'
import { assignable, contextOf, demandName, demandSameId, textsOrNull } from '../request.ts'
import { shownGroup } from '../shown.ts'

/** So many groups are in one: each is looked at when one is added. */
const MOST_MEMBER_GROUPS = 200

const fields = {
  id: string('Id of a group that is there.').default(''),
  name: string('Name; unique.').default(''),
  type: string(
    '`internal`: its members are set here; `external`: an auth method says who is in it.',
  ),
  metadata: keyValues('Texts to know about it.'),
  policies: list('Policies that all tokens of its members have.'),
  member_group_ids: list('Groups in it.'),
  member_entity_ids: list('Entities in it.'),
}
type GroupRequest = Request<typeof fields>

export const groupPaths = [
  path('group', {
    summary: 'Makes a group, or changes the one of that id or name',
    fields,
    operations: {
      update: (request) =>
        request.data.id === '' ? writeNamed(request) : writeKnown(request, request.data.id),
    },
  }),
  path('group/id', {
    summary: 'The ids of the groups',
    fields: pageFields,
    operations: { list: listIds },
  }),
  path('group/id/:id', {
    summary: 'The group with this id',
    fields,
    operations: {
      read: async (request) => show(request, await findGroup(contextOf(request), request.data.id)),
      update(request) {
        demandSameId(request, request.data.id)
        return writeKnown(request, request.data.id)
      },
      delete: async (request) =>
        remove(request, await findGroup(contextOf(request), request.data.id)),
    },
  }),
  path('group/name', {
    summary: 'The names of the groups',
    fields: pageFields,
    operations: {
      async list(request) {
        const { root, namespaceId } = contextOf(request)
        return { data: { keys: await namesIn(root, groupNameFolder(namespaceId), request.data) } }
      },
    },
  }),
  path('group/name/:name*', {
    summary: 'The group of this name',
    fields,
    operations: {
      read: async (request) =>
        show(request, await groupNamed(contextOf(request), request.data.name)),
      update: writeNamed,
      delete: async (request) =>
        remove(request, await groupNamed(contextOf(request), request.data.name)),
    },
  }),
]

async function writeNamed(request: GroupRequest): Promise<Response | undefined> {
  const context = contextOf(request)
  const { name, type = 'internal' } = request.data
  const before = name === '' ? undefined : await groupNamed(context, name)
  demandSameId(request, before?.id)
  if (before !== undefined) return write(request, before, before)
  return write(request, undefined, newGroup(context, demandName(name), demandType(type)))
}

async function writeKnown(request: GroupRequest, id: string): Promise<Response | undefined> {
  const before = await findGroup(contextOf(request), id)
  if (before === undefined) throw new BadRequest('invalid group ID')
  const { name } = request.data
  return write(request, before, name === '' ? before : { ...before, name: demandName(name) })
}

/** @returns what the client has to know of one that is new */
async function write(
  request: GroupRequest,
  before: Group | undefined,
  named: Group,
): Promise<Response | undefined> {
  const { data } = request
  const context = contextOf(request)
  if (data.type !== undefined && demandType(data.type) !== named.type) {
    throw new BadRequest('group type cannot be changed')
  }
  checkMembers(request, named)
  const group: Group = {
    ...named,
    ...(data.metadata !== undefined && { metadata: textsOrNull(data.metadata) }),
    ...(data.policies !== undefined && { policies: assignable(data.policies) }),
    ...(data.member_group_ids !== undefined && {
      memberGroupIds: [...new Set(data.member_group_ids)],
    }),
  }
  await putGroup(context, before, group)
  if (data.member_entity_ids !== undefined) await setMembers(context, group, data.member_entity_ids)
  return before === undefined ? { data: { id: group.id, name: group.name } } : undefined
}

function checkMembers({ data }: GroupRequest, { type }: Group): void {
  const { member_entity_ids: entityIds = [], member_group_ids: groupIds = [] } = data
  if (type === 'external' && entityIds.length > 0) {
    throw new BadRequest("member entities can't be set manually for external groups")
  }
  if (type === 'external' && groupIds.length > 0) {
    throw new BadRequest("member groups can't be set for external groups")
  }
  if (groupIds.length > MOST_MEMBER_GROUPS) {
    throw new BadRequest(
      `member_group_ids has ${groupIds.length} groups; at most ${MOST_MEMBER_GROUPS}`,
    )
  }
}

function demandType(text: string): Group['type'] {
  if (text === 'internal' || text === 'external') return text
  throw new BadRequest(`invalid group type "${text}"`)
}

async function show(request: GroupRequest, group: Group | undefined): Promise<Response> {
  if (group === undefined) throw new NotFound()
  return { data: await shownGroup(contextOf(request), group) }
}

async function remove(request: GroupRequest, group: Group | undefined): Promise<undefined> {
  if (group !== undefined) await removeGroup(contextOf(request), group)
}

async function listIds(request: Request<typeof pageFields>): Promise<Response> {
  const context = contextOf(request)
  const ids = await namesIn(context.root, groupFolder(context.namespaceId), request.data)
  return listWithInfo(ids, async (id) => {
    const group = await findGroup(context, id)
    if (group === undefined) return undefined
    const { alias } = group
    return {
      name: group.name,
      num_member_entities: (await membersOf(context, id)).length,
      num_parent_groups: group.parentGroupIds.length,
      ...(alias !== null && {
        alias: {
          id: alias.id,
          name: alias.name,
          mount_accessor: alias.mountAccessor,
          ...(await shownMount(context, alias.mountUuid)),
        },
      }),
    }
  })
}
