/** The commands of `token`, and `print token`. */
import { goDuration } from '../../core/duration.ts'
import type { JsonObject } from '../../core/json.ts'
import { askData, askSecret, perform } from '../client/logical.ts'
import { stringsOf } from '../client/secret.ts'
import { between, command } from './command.ts'
import { CommandFailed, EXIT_USAGE, UsageProblem, orFail } from './failure.ts'
import { duration, list, pairs, text, whole, yesNo } from './flags.ts'
import type { FlagValues } from './flags.ts'

const createFlags = {
  id: text('The token itself, where the policy allows choosing it; default: made by the server.'),
  'display-name': text('A name that audit and listings show.'),
  ttl: duration('How long it lives; renewing may prolong that.'),
  'explicit-max-ttl': duration('How long it lives at most, renewed or not.'),
  period: duration('Each renewal gives it this long again, without end.'),
  renewable: yesNo('Whether it can be renewed; -renewable=false forbids it.', { initial: true }),
  orphan: yesNo('It has no parent: revoking your token leaves it alone.'),
  'no-default-policy': yesNo('Leave the policy "default" out.'),
  'use-limit': whole('How often it can be used.'),
  role: text('The token role to create it by.'),
  type: text('"service" (default) or "batch".'),
  metadata: pairs('Something that audit shows with it; may be given several times.'),
  policy: list('A policy of it; may be given several times. Default: those of your own token.'),
  'entity-alias': text('The entity alias it belongs to; needs -role.'),
}

export const create = command({
  usage: 'token create [options]',
  about: `Creates a token: by default a child of your own, with your policies.

  %p token create -policy=app -ttl=1h
  %p token create -orphan -period=24h -field=token -policy=app`,
  outputs: 'field',
  flags: createFlags,
  async run({ flags, connection, printer, field }) {
    const path = ['auth/token/create', ...(flags.role ? [flags.role] : [])].join('/')
    const secret = await orFail(
      'Error creating token',
      askSecret(connection(), { method: 'POST', path, body: createBody(flags) }),
    )
    if (field === undefined || secret === undefined) printer.secret(secret)
    else printer.field(secret, field)
  },
})

function createBody(flags: FlagValues<typeof createFlags>): JsonObject {
  const { id, policy, metadata, type = 'service' } = flags
  const ttl = (name: string, seconds: number | undefined): JsonObject =>
    seconds === undefined ? {} : { [name]: goDuration(seconds) }
  return {
    ...(id === undefined ? {} : { id }),
    ...(policy.length === 0 ? {} : { policies: policy }),
    ...(Object.keys(metadata).length === 0 ? {} : { meta: metadata }),
    ...ttl('ttl', flags.ttl),
    ...ttl('explicit_max_ttl', flags['explicit-max-ttl']),
    ...ttl('period', flags.period),
    ...(flags.orphan ? { no_parent: true } : {}),
    ...(flags['no-default-policy'] ? { no_default_policy: true } : {}),
    display_name: flags['display-name'] ?? '',
    num_uses: flags['use-limit'] ?? 0,
    renewable: flags.renewable && type !== 'batch',
    type,
    ...(flags['entity-alias'] === undefined ? {} : { entity_alias: flags['entity-alias'] }),
  }
}

const accessorFlag = { accessor: yesNo('What is given is an accessor, not a token.') }

export const lookup = command({
  usage: 'token lookup [options] [TOKEN | ACCESSOR]',
  about: `Shows what the server knows of a token: your own, the one given, or that of an accessor (-accessor).

  %p token lookup
  %p token lookup -accessor DZpIQDVlFzZdtDMySNpMZBpr`,
  outputs: 'field',
  words: between(0, 1),
  flags: accessorFlag,
  async run({ flags, args, connection, printer, field }) {
    const given = (args[0] ?? '').trim()
    if (flags.accessor && given === '')
      throw new UsageProblem('Not enough arguments with -accessor (expected 1, got 0)')
    const secret = await orFail(
      'Error looking up token',
      askSecret(connection(), lookupRequest(given, flags.accessor)),
    )
    if (field === undefined || secret === undefined) printer.secret(secret)
    else printer.field(secret, field)
  },
})

function lookupRequest(given: string, isAccessor: boolean): Parameters<typeof askSecret>[1] {
  if (given === '') return { method: 'GET', path: 'auth/token/lookup-self' }
  if (isAccessor)
    return { method: 'POST', path: 'auth/token/lookup-accessor', body: { accessor: given } }
  return { method: 'POST', path: 'auth/token/lookup', body: { token: given } }
}

export const renew = command({
  usage: 'token renew [options] [TOKEN]',
  about: `Prolongs the life of a token: your own, or the one given.

  %p token renew -increment=1h`,
  outputs: 'format',
  words: between(0, 1, '1'),
  flags: {
    ...accessorFlag,
    increment: duration('How long it should live from now on; the server may give less.', {
      alias: 'i',
    }),
  },
  async run({ flags, args, connection, printer }) {
    const increment = Math.max(0, Math.floor(flags.increment ?? 0))
    const request = renewRequest((args[0] ?? '').trim(), flags.accessor, increment)
    printer.secret(await orFail('Error renewing token', askSecret(connection(), request)))
  },
})

function renewRequest(
  given: string,
  isAccessor: boolean,
  increment: number,
): Parameters<typeof askSecret>[1] {
  if (given === '') return { method: 'PUT', path: 'auth/token/renew-self', body: { increment } }
  if (isAccessor)
    return {
      method: 'POST',
      path: 'auth/token/renew-accessor',
      body: { accessor: given, increment },
    }
  return { method: 'PUT', path: 'auth/token/renew', body: { token: given, increment } }
}

const revokeFlags = {
  ...accessorFlag,
  self: yesNo('Revoke the token that you use.'),
  mode: text(
    '"orphan": its children stay. "path": what is given is a path, all tokens made there go.',
  ),
}

export const revoke = command({
  usage: 'token revoke [options] [TOKEN | ACCESSOR]',
  about: `Revokes a token, its children, and the leases of all of them. For all tokens of a role, a policy or an auth method see \`token revoke-where\`.

  %p token revoke -self
  %p token revoke -accessor DZpIQDVlFzZdtDMySNpMZBpr`,
  words: between(0, Number.MAX_SAFE_INTEGER),
  flags: revokeFlags,
  async run({ flags, args, connection, printer }) {
    checkRevocation(flags, args.length)
    const given = (args[0] ?? '').trim()
    await orFail('Error revoking token', perform(connection(), revokeRequest(flags, given)))
    printer.line('Success! Revoked token (if it existed)')
  },
})

function checkRevocation(flags: FlagValues<typeof revokeFlags>, count: number): void {
  const { self, accessor, mode = '' } = flags
  const problem = (): string | undefined => {
    if (!['', 'orphan', 'path'].includes(mode)) return 'Invalid mode: it is "orphan" or "path"'
    if (self && count > 0) return `Too many arguments with -self (expected 0, got ${count})`
    if (!self && count > 1) return `Too many arguments (expected 1 or -self, got ${count})`
    if (!self && count < 1) return `Not enough arguments (expected 1 or -self, got ${count})`
    if (self && accessor) return 'Cannot use -self with -accessor!'
    if (self && mode !== '') return 'Cannot use -self with -mode!'
    if (accessor && mode !== '') return `Cannot use -accessor with -mode=${mode}!`
    return undefined
  }
  const found = problem()
  if (found !== undefined) throw new UsageProblem(found)
}

function revokeRequest(
  { self, accessor, mode }: FlagValues<typeof revokeFlags>,
  given: string,
): Parameters<typeof perform>[1] {
  if (self) return { method: 'PUT', path: 'auth/token/revoke-self' }
  if (accessor)
    return { method: 'POST', path: 'auth/token/revoke-accessor', body: { accessor: given } }
  if (mode === 'path') return { method: 'PUT', path: `sys/leases/revoke-prefix/${given}` }
  const verb = mode === 'orphan' ? 'revoke-orphan' : 'revoke'
  return { method: 'PUT', path: `auth/token/${verb}`, body: { token: given } }
}

export const capabilities = command({
  usage: 'token capabilities [options] [TOKEN] PATH',
  about: `Shows what a token may do at a path: your own, or the one given.

  %p token capabilities secret/data/app`,
  outputs: 'format',
  words: between(1, 2),
  async run({ args, connection, printer }) {
    const [token, path] = args.length === 2 ? args : [undefined, args[0]]
    const body = token === undefined ? { path: path ?? '' } : { token, path: path ?? '' }
    const name = token === undefined ? 'capabilities-self' : 'capabilities'
    const data = await orFail(
      'Error listing capabilities',
      askData(connection(), { method: 'POST', path: `sys/${name}`, body }),
    )
    const found = stringsOf(data['capabilities'])
    if (found === null) throw new CommandFailed('No capabilities found', EXIT_USAGE)
    if (printer.format === 'table') printer.line([...found].sort().join(', '))
    else printer.data(found)
  },
})

export const print = command({
  usage: 'print token',
  about: `Prints the token that commands use: that of the environment, or of the last login.

  %p print token`,
  words: between(0, Number.MAX_SAFE_INTEGER),
  run: async ({ connection, printer }) => printer.line(connection().token),
})
