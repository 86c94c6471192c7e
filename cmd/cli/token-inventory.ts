/** `token list` and `token revoke-where`: many tokens at once, by what is known of them. */
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Connection } from '../client/connection.ts'
import { askData, askSecret } from '../client/logical.ts'
import { stringsOf, textOf } from '../client/secret.ts'
import type { Printer } from '../output/printer.ts'
import { tableText } from '../output/table.ts'
import { command } from './command.ts'
import { CommandFailed, orFail } from './failure.ts'
import { list as listFlag, maybe, text, whole, yesNo, type FlagValues } from './flags.ts'

const conditions = {
  policy: listFlag('Tokens that have this policy; may be given several times, one is enough.'),
  role: text('Tokens of this role: of auth/token, or of the auth method.'),
  mount: text('Tokens that the auth method at this path granted, such as approle/.'),
  path: text('Tokens granted at this path, such as auth/approle/login; * for any text.'),
  entity: text('Tokens of the entity with this id.'),
  orphan: maybe('Only tokens without a parent; -orphan=false: only with one.'),
  'created-after': text('Granted after this time (2030-01-31T12:00:00Z), or not longer ago (2h).'),
  'created-before': text('Granted before this time, or longer ago.'),
  'expires-after': text('Ending after this time, or later than in that span.'),
  'expires-before': text('Ending before this time, or sooner.'),
  'never-expires': maybe('Only tokens without an end; -never-expires=false: only with one.'),
  recursive: yesNo('In the namespaces below as well.'),
}
type Conditions = FlagValues<typeof conditions>
type Named = Readonly<Record<string, string>>

/** As the server names them; what was not given is left out. */
function conditionsOf(flags: Conditions): Named {
  const given: Readonly<Record<string, string | undefined>> = {
    policies: flags.policy.length === 0 ? undefined : flags.policy.join(','),
    role: flags.role,
    mount: flags.mount,
    path: flags.path,
    entity_id: flags.entity,
    orphan: flags.orphan?.toString(),
    created_after: flags['created-after'],
    created_before: flags['created-before'],
    expires_after: flags['expires-after'],
    expires_before: flags['expires-before'],
    never_expires: flags['never-expires']?.toString(),
    recursive: flags.recursive ? 'true' : undefined,
  }
  const named: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) if (value !== undefined) named[name] = value
  return named
}

/** Tokens that `token list` shows where `-limit` says nothing else. */
const DEFAULT_LIMIT = 1000
/** Tokens that it asks for at once; the server gives no more. */
const PAGE = 1000

export const list = command({
  usage: 'token list [options]',
  about: `Lists living tokens by what is known of them: accessors, never the tokens. All conditions must be met. Batch tokens are stored nowhere and are in no list.

  %p token list -role=deploy
  %p token list -policy=admin -never-expires
  %p token list -mount=approle -expires-after=24h -format=json`,
  outputs: 'format',
  flags: {
    ...conditions,
    limit: whole(`At most so many tokens; default: ${DEFAULT_LIMIT}.`),
    after: text('Go on behind the page before, which said what to put here.'),
  },
  async run({ flags, connection, printer }) {
    const { limit = DEFAULT_LIMIT, after = '' } = flags
    const found = await orFail(
      'Error listing tokens',
      tokensOf(connection(), conditionsOf(flags), { limit, after }),
    )
    if (printer.format !== 'table') return printer.data(found.tokens)
    if (found.tokens.length === 0) throw new CommandFailed('No tokens found')
    printer.line(tableText([HEADER, ...found.tokens.map(rowOf)]))
    if (found.next !== '') printer.advise(`\nThere may be more: go on with -after=${found.next}`)
  },
})

interface Found {
  readonly tokens: readonly JsonObject[]
  readonly next: string
}

/** Asks on until there are enough or no more: one answer may hold none and still not be the last. */
async function tokensOf(
  connection: Connection,
  named: Named,
  { limit, after }: { limit: number; after: string },
): Promise<Found> {
  const tokens: JsonObject[] = []
  let next = after
  do {
    const query = { ...named, list: 'true', limit: String(Math.min(PAGE, limit - tokens.length)) }
    const data = await askData(connection, {
      method: 'GET',
      path: 'auth/token/inventory',
      query: next === '' ? query : { ...query, after: next },
    })
    tokens.push(...objectsOf(data['tokens']))
    next = textOf(data['next'])
  } while (next !== '' && tokens.length < limit)
  return { tokens, next }
}

function objectsOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

const HEADER = ['Accessor', 'Policies', 'Path', 'Role', 'Created', 'Expires']

function rowOf(token: JsonObject): readonly string[] {
  const created = Number(token['creation_time'])
  return [
    textOf(token['accessor']),
    (stringsOf(token['policies']) ?? []).join(','),
    textOf(token['namespace_path']) + textOf(token['path']),
    textOf(token['role']),
    new Date(created * 1000).toISOString(),
    textOf(token['expire_time']) || 'never',
  ]
}

const REVOKE = 'auth/token/inventory/revoke'

export const revokeWhere = command({
  usage: 'token revoke-where [options]',
  about: `Revokes all tokens that meet all conditions, with their children. It takes one commit, however many they are: from the answer on none of them works on any node, batch tokens too. Your own token is spared. Tokens granted later are not meant, so first close the way by which they were granted: delete the secret ids or the role.

  %p token revoke-where -role=deploy -dry-run
  %p token revoke-where -role=deploy
  %p list -detailed auth/token/inventory/revocations`,
  outputs: 'format',
  flags: {
    ...conditions,
    type: text('Only "service" or only "batch" tokens.'),
    all: yesNo('Without conditions: all tokens of the namespace.'),
    'dry-run': yesNo('Revoke nothing, count the tokens.'),
  },
  async run({ flags, connection, printer }) {
    const { type } = flags
    const body = {
      ...conditionsOf(flags),
      ...(type === undefined ? {} : { type }),
      ...(flags.all ? { all: true } : {}),
    }
    const failed = 'Error revoking tokens'
    if (flags['dry-run']) return count(await orFail(failed, countOf(connection(), body)), printer)
    const request = { method: 'POST', path: REVOKE, body } as const
    const secret = await orFail(failed, askSecret(connection(), request))
    if (printer.format !== 'table' || secret?.wrapInfo !== undefined) return printer.secret(secret)
    if (secret !== undefined) printer.warnings(secret)
    printer.line('Success! No token works any more that met the conditions.')
    printer.advise(
      `The server now removes what is stored of them (revocation ${textOf(secret?.data?.['id'])}). How far that is: list -detailed auth/token/inventory/revocations`,
    )
  },
})

interface Counted {
  readonly matched: number
  readonly examined: number
}

async function countOf(connection: Connection, body: JsonObject): Promise<Counted> {
  let [matched, examined, next] = [0, 0, '']
  do {
    const asked = { ...body, dry_run: true, ...(next === '' ? {} : { after: next }) }
    const data = await askData(connection, { method: 'POST', path: REVOKE, body: asked })
    matched += Number(data['matched'])
    examined += Number(data['examined'])
    next = textOf(data['next'])
  } while (next !== '')
  return { matched, examined }
}

function count({ matched, examined }: Counted, printer: Printer): void {
  if (printer.format !== 'table') return printer.data({ matched, examined })
  printer.line(`${matched} service tokens meet the conditions. Nothing was revoked.`)
  printer.advise('Batch tokens are stored nowhere and are not counted; they would be revoked too.')
}
