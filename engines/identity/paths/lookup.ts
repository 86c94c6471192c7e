/** `lookup/entity` and `lookup/group`: the one of this id, name or alias. */
import { BadRequest } from '../../../core/errors.ts'
import {
  aliasWithId,
  entityNamed,
  entityOfAlias,
  findEntity,
} from '../../../core/identity/entities.ts'
import {
  findGroup,
  groupCalled,
  groupNamed,
  groupWithAlias,
} from '../../../core/identity/groups.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import type { Awaitable } from '../../../core/store/awaitable.ts'
import { contextOf } from '../request.ts'
import { shownEntity, shownGroup } from '../shown.ts'

const fields = {
  id: string('Its id.').default(''),
  name: string('Its name.').default(''),
  alias_id: string('Id of its alias.').default(''),
  alias_name: string('What an auth mount calls it; with `alias_mount_accessor`.').default(''),
  alias_mount_accessor: string('Accessor of that mount.').default(''),
}
type LookupRequest = Request<typeof fields>

export const lookupPaths = [
  path('lookup/entity', {
    summary: 'The entity of an id, a name or an alias',
    fields,
    operations: { update: lookupEntity },
  }),
  path('lookup/group', {
    summary: 'The group of an id, a name or an alias',
    fields,
    operations: { update: lookupGroup },
  }),
]

async function lookupEntity(request: LookupRequest): Promise<Response | undefined> {
  const context = contextOf(request)
  const entity = await found(criterion(request), {
    id: (id) => findEntity(context, id),
    name: (name) => entityNamed(context, name),
    aliasId: async (id) => (await aliasWithId(context, id))?.entity,
    alias: async (accessor, name) => (await entityOfAlias(context, accessor, name))?.entity,
  })
  return entity && { data: await shownEntity(context, entity) }
}

async function lookupGroup(request: LookupRequest): Promise<Response | undefined> {
  const context = contextOf(request)
  const group = await found(criterion(request), {
    id: (id) => findGroup(context, id),
    name: (name) => groupNamed(context, name),
    aliasId: (id) => groupWithAlias(context, id),
    alias: (accessor, name) => groupCalled(context, accessor, name),
  })
  return group && { data: await shownGroup(context, group) }
}

/** How each criterion finds one. */
interface Finders<T> {
  id(id: string): Awaitable<T | undefined>
  name(name: string): Awaitable<T | undefined>
  aliasId(id: string): Awaitable<T | undefined>
  alias(mountAccessor: string, name: string): Awaitable<T | undefined>
}

type Criterion =
  | { readonly by: 'id' | 'name' | 'aliasId'; readonly text: string }
  | { readonly by: 'alias'; readonly text: string; readonly mountAccessor: string }

function found<T>(criterion: Criterion, finders: Finders<T>): Awaitable<T | undefined> {
  return criterion.by === 'alias'
    ? finders.alias(criterion.mountAccessor, criterion.text)
    : finders[criterion.by](criterion.text)
}

/** @throws {BadRequest} there is not exactly one */
function criterion({ data }: LookupRequest): Criterion {
  const { id, name, alias_id: aliasId, alias_name: called, alias_mount_accessor: accessor } = data
  const given: Criterion[] = []
  if (id !== '') given.push({ by: 'id', text: id })
  if (name !== '') given.push({ by: 'name', text: name })
  if (aliasId !== '') given.push({ by: 'aliasId', text: aliasId })
  if (called !== '' || accessor !== '') {
    given.push({ by: 'alias', mountAccessor: accessor, text: called })
  }
  const [only] = given
  if (only === undefined) throw new BadRequest('query parameter not supplied')
  if (given.length > 1) {
    throw new BadRequest('query parameter conflict; please supply distinct set of query parameters')
  }
  if (only.by === 'alias' && (called === '' || accessor === '')) {
    throw new BadRequest("both 'alias_name' and 'alias_mount_accessor' needs to be set")
  }
  return only
}
