/** The conditions on tokens as a request names them. */
import { InvalidDuration, parseDurationSeconds } from '../../core/duration.ts'
import { BadRequest } from '../../core/errors.ts'
import { mountAt } from '../../core/mounts/table.ts'
import { boolean, list, oneOf, string } from '../../core/plugin/fields.ts'
import type { Request } from '../../core/plugin/request.ts'
import { canonicalPolicyName } from '../../core/policy/names.ts'
import { parseTime } from '../../core/time-text.ts'
import type { TokenFilter } from '../../core/tokens/filter.ts'

/** Policies that one filter may name. */
const MAX_POLICIES = 64
/** Longest text of a condition. */
const MAX_TEXT = 1024

const short = (about: string) =>
  string(about).check((text) =>
    text.length > MAX_TEXT ? `a condition has at most ${MAX_TEXT} characters` : undefined,
  )

export const filterFields = {
  policies: list('Tokens that have one of these policies.').inQuery(),
  role: short('Tokens of this role: of auth/token, or what the auth method calls so.').inQuery(),
  mount: short('Tokens that the auth method at this path granted, such as `approle`.').inQuery(),
  path: short('Tokens granted at this path, `auth/approle/login`; `*` for any text.').inQuery(),
  entity_id: short('Tokens of this entity.').inQuery(),
  type: oneOf(['service', 'batch'], '`service` or `batch`.').inQuery(),
  orphan: boolean('Only tokens without a parent, or (false) with one.').inQuery(),
  created_after: short('Granted after this time; a span such as `2h` means ago.').inQuery(),
  created_before: short('Granted before this time; a span means ago.').inQuery(),
  expires_after: short('Ending after this time; a span means from now.').inQuery(),
  expires_before: short('Ending before this time; a span means from now.').inQuery(),
  never_expires: boolean('Only tokens without an end, or (false) with one.').inQuery(),
  recursive: boolean('In the namespaces below as well.').default(false).inQuery(),
}
type FilterRequest = Request<typeof filterFields>

/** @throws {BadRequest} a time that is none, no such auth method, or conditions that nothing can meet */
export async function filterOf(request: FilterRequest): Promise<TokenFilter> {
  const { data, nowMs } = request
  const policies = data.policies?.map(canonicalPolicyName)
  if (policies !== undefined && policies.length > MAX_POLICIES) {
    throw new BadRequest(`'policies' names more than ${MAX_POLICIES} policies`)
  }
  const ago = (name: TimeName) => timeOf(data, name, (spanMs) => nowMs - spanMs)
  const ahead = (name: TimeName) => timeOf(data, name, (spanMs) => nowMs + spanMs)
  const filter = withoutUndefined({
    policies: policies?.length === 0 ? undefined : policies,
    role: data.role,
    mountUuid: await mountOf(request),
    path: data.path,
    entityId: data.entity_id,
    type: data.type,
    orphan: data.orphan,
    createdAfterMs: ago('created_after'),
    createdBeforeMs: ago('created_before'),
    expiresAfterMs: ahead('expires_after'),
    expiresBeforeMs: ahead('expires_before'),
    neverExpires: data.never_expires,
  })
  const bounded = filter.expiresAfterMs !== undefined || filter.expiresBeforeMs !== undefined
  if (filter.neverExpires === true && bounded) {
    throw new BadRequest("'never_expires' and a time of expiry leave no token; give one of them")
  }
  return filter
}

type TimeName = 'created_after' | 'created_before' | 'expires_after' | 'expires_before'

function timeOf(
  data: FilterRequest['data'],
  name: TimeName,
  fromSpan: (spanMs: number) => number,
): number | undefined {
  const text = data[name]
  if (text === undefined || text === '') return undefined
  const atMs = parseTime(text)
  if (atMs !== undefined) return atMs
  const seconds = spanOf(text)
  if (seconds === undefined || seconds < 0) {
    throw new BadRequest(
      `'${name}' must be a time such as 2030-01-31T12:00:00Z or a span such as 36h`,
    )
  }
  return fromSpan(seconds * 1000)
}

function spanOf(text: string): number | undefined {
  try {
    return parseDurationSeconds(text)
  } catch (error) {
    if (error instanceof InvalidDuration) return undefined
    throw error
  }
}

async function mountOf({ data, storage, namespace }: FilterRequest): Promise<string | undefined> {
  if (data.mount === undefined || data.mount === '') return undefined
  const name = data.mount.replace(/^auth\//, '').replace(/\/$/, '')
  const entry = await mountAt(storage, namespace.id, `auth/${name}/`)
  if (entry === undefined) {
    throw new BadRequest("'mount' is the path of no auth method in this namespace")
  }
  return entry.uuid
}

/** What was not asked for is no member of a stored filter. */
function withoutUndefined(filter: {
  readonly [K in keyof TokenFilter]: TokenFilter[K] | undefined
}): TokenFilter {
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== undefined && value !== ''),
  )
}
