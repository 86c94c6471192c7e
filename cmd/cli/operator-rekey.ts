/** The commands `operator rekey` and `operator rotate-keys`: new key shares, where enough holders of the present ones agree. */
import type { JsonObject } from '../../core/json.ts'
import type { Connection } from '../client/connection.ts'
import { askBare, perform, readSecret } from '../client/logical.ts'
import type { ApiRequest } from '../client/send.ts'
import { numberOf, objectOf, stringsOf, textOf } from '../client/secret.ts'
import { goValue } from '../output/go-value.ts'
import { tableText } from '../output/table.ts'
import { wrapText } from '../output/wrap.ts'
import { refusedCaller, refusedShare, takeShare } from './ceremony-share.ts'
import { between, command } from './command.ts'
import type { Call } from './command.ts'
import { UsageProblem, orFail } from './failure.ts'
import { list, text, whole, yesNo } from './flags.ts'
import { forHolder, pgpKeys } from './operator-init.ts'
import { pathsFor, REKEY, ROTATE_KEYS, type RekeyManner, type RekeyPaths } from './rekey-manner.ts'

const DEFAULT_SHARES = 5
const DEFAULT_THRESHOLD = 3

const flags = {
  init: yesNo('Begin, with -key-shares and -key-threshold.'),
  cancel: yesNo(
    'End it, and keep the present shares. With -verify: forget only the new shares that were given back.',
  ),
  status: yesNo('Only show how far it is.'),
  verify: yesNo(
    'With -init: the new shares come into force only when enough of them were given back. Without: give one of the new shares back.',
  ),
  'key-shares': whole('Into how many shares the new key is split; default 5.', { alias: 'n' }),
  'key-threshold': whole('How many of them unseal the server; default 3.', { alias: 't' }),
  'pgp-keys': list(
    'Files with public PGP keys, with commas between, one a share: each share is encrypted for its holder.',
  ),
  holder: list(
    'The name of who gets a new share, once for each, in order: `operator share check` tells it again.',
  ),
  backup: yesNo('With -pgp-keys: the server keeps the encrypted shares.'),
  'backup-retrieve': yesNo('Show the encrypted shares that the server keeps.'),
  'backup-delete': yesNo('Have the server forget them.'),
  nonce: text('The nonce of the ceremony; needed with a share that is not typed at the prompt.'),
  target: text('"barrier", or "recovery" where the seal opens by itself.'),
}
type RekeyCall = Call<typeof flags> & { readonly manner: RekeyManner }

export const rekey = ceremony(
  REKEY,
  'The server asks for a token with the right to sys/rekey, unless its listener has disable_unauthed_rekey_endpoints = false.',
)

export const rotateKeys = ceremony(
  ROTATE_KEYS,
  'This is "operator rekey" by the name that OpenBao has for it. The server asks for a token with the right to sys/rotate/root.',
)

function ceremony(manner: RekeyManner, access: string) {
  const name = `operator ${manner.command}`
  return command({
    usage: `${name} [options] [KEY]`,
    about: `Replaces the key shares: when a holder leaves, a share is lost or seen, or their number is to change. One person begins. As many holders as unseal the server then give their present shares, at any machine; the last one sees the new shares and hands them out. With -verify, which is the safer way, the present shares stay in force until enough of the new ones were given back. KEY is asked for and not shown while you type; "-" reads it from standard input.

  %p ${name} -init -verify -key-shares=5 -key-threshold=3
  %p ${name}
  %p ${name} -verify

${access}`,
    outputs: 'format',
    words: between(0, 1),
    flags,
    run: (call) =>
      act({ ...call, manner }).catch((error: unknown) => {
        throw manner.openedBy === undefined ? error : refusedCaller(error, manner.openedBy)
      }),
  })
}

async function act(call: RekeyCall): Promise<void> {
  const given = call.flags
  const paths = pathsFor(call.manner, given.target)
  const connection = call.connection()
  if (given['backup-delete']) return deleteBackup(connection, paths, call)
  if (given['backup-retrieve']) return showBackup(connection, paths, call)
  if (given.cancel) return cancel(connection, paths, call)
  if (given.init) return begin(connection, paths, call)
  if (given.status)
    return showStatus(await askStatus(connection, paths, given, call.manner.texts.reading), call)
  return give(connection, paths, call)
}

function askStatus(
  connection: Connection,
  paths: RekeyPaths,
  { verify }: RekeyCall['flags'],
  what: string,
): Promise<JsonObject> {
  const path = verify ? paths.verify : paths.init
  return orFail(what, askEither(connection, { method: 'GET', path }))
}

/** `sys/rekey` answers without an envelope, `sys/rotate/root` in one. */
async function askEither(connection: Connection, request: ApiRequest): Promise<JsonObject> {
  const answer = await askBare(connection, request)
  return objectOf(answer['data']) ?? answer
}

async function begin(connection: Connection, paths: RekeyPaths, call: RekeyCall): Promise<void> {
  const { flags: given, printer } = call
  const body = {
    secret_shares: given['key-shares'] ?? DEFAULT_SHARES,
    secret_threshold: given['key-threshold'] ?? DEFAULT_THRESHOLD,
    pgp_keys: await pgpKeys(given['pgp-keys']),
    ...(given.holder.length === 0 ? {} : { secret_share_holders: given.holder }),
    backup: given.backup,
    require_verification: given.verify,
  }
  const status = await orFail(
    `Error initializing ${call.manner.texts.thing}`,
    askEither(connection, { method: 'PUT', path: paths.init, body }),
  )
  if (printer.format === 'table' && !given.verify)
    printer.warn(
      `${wrapText('WARNING! The present shares open nothing any more the moment that the new ones are shown. If those are lost then, nothing can be opened again. Consider to cancel this, and to begin again with -verify.')}\n`,
    )
  showStatus(status, call)
}

async function cancel(
  connection: Connection,
  paths: RekeyPaths,
  { flags: { verify, nonce }, printer, program, manner: { command, texts } }: RekeyCall,
): Promise<void> {
  const path = verify ? paths.verify : paths.init
  const query = nonce === undefined || nonce === '' ? {} : { query: { nonce } }
  await orFail(
    `Error canceling ${texts.thing}`,
    perform(connection, { method: 'DELETE', path, ...query }),
  )
  printer.line(texts.cancelled)
  const again = `${program.command} operator ${command}`
  printer.advise(
    verify
      ? `The new shares given back so far are forgotten, and can be given again: ${again} -verify`
      : `The present shares stay in force, and new ones that were shown are worth nothing. To begin anew: ${again} -init -verify`,
  )
}

async function showBackup(
  connection: Connection,
  { backup }: RekeyPaths,
  { printer, manner }: RekeyCall,
): Promise<void> {
  const secret = await orFail(
    `Error retrieving ${manner.texts.thing} backed up keys`,
    readSecret(connection, backup),
  )
  printer.secret(secret)
}

async function deleteBackup(
  connection: Connection,
  { backup: path }: RekeyPaths,
  { printer, manner }: RekeyCall,
): Promise<void> {
  await orFail(
    `Error deleting ${manner.texts.thing} backed up keys`,
    perform(connection, { method: 'DELETE', path }),
  )
  printer.line('Success! Deleted backed up keys (if they existed)')
}

async function give(connection: Connection, paths: RekeyPaths, call: RekeyCall): Promise<void> {
  const { flags: given, program, printer, manner } = call
  const again = `${program.command} operator ${manner.command}`
  const before = await askStatus(
    connection,
    paths,
    given,
    `Error getting ${manner.texts.thing} status`,
  )
  if (before['started'] !== true)
    throw new UsageProblem(wrapText(`${manner.texts.notStarted} "${again} -init".`))
  const body = { ...(await takeShare(call, before, given.nonce)) }
  const path = given.verify ? paths.verify : paths.update
  const after = await orFail(
    'Error posting unseal key',
    askEither(connection, { method: 'PUT', path, body }),
  ).catch((error: unknown) => {
    throw refusedShare(error, given.verify ? `${again} -verify` : again)
  })
  if (after['complete'] !== true) return showStatus(after, call)
  if (printer.format !== 'table') return printer.data(after)
  if (given.verify) return showVerified(call)
  showKeys(after, before, call)
}

function showVerified({ printer, manner }: RekeyCall): void {
  printer.line(wrapText(manner.texts.verified))
  printer.advise('The holders destroy their old shares: they open nothing any more.')
}

function showKeys(
  answer: JsonObject,
  before: JsonObject,
  { printer, program, manner }: RekeyCall,
): void {
  const keys = stringsOf(answer['keys_base64']) ?? []
  const fingerprints = stringsOf(answer['pgp_fingerprints']) ?? []
  const holders = stringsOf(answer['holders']) ?? []
  keys.forEach((key, at) => {
    const fingerprint = fingerprints[at]
    const label = `Key ${at + 1}${forHolder(holders[at])}`
    printer.line(
      fingerprint === undefined
        ? `${label}: ${key}`
        : `${label} fingerprint: ${fingerprint}; value: ${key}`,
    )
  })
  printer.line(`\nOperation nonce: ${textOf(answer['nonce'])}`)
  const shares = `${goValue(before['n'])} key shares and a key threshold of ${goValue(before['t'])}`
  const verifies = answer['verification_required'] === true
  printer.line(
    `\n${wrapText(
      verifies
        ? `A new key was made, split into ${shares}. These shares are not active yet: keep the present ones until the verification is complete. If this is cancelled or the server sealed before, the new shares are worth nothing and the present ones stay in force.`
        : `The key was replaced, and split into ${shares}. From now on only these open the server, and they are shown this once.`,
    )}`,
  )
  printer.advise(
    verifies
      ? `What to do now: give each share to its holder, then have ${goValue(before['t'])} of them run, with the nonce ${textOf(answer['verification_nonce'])}: ${program.command} operator ${manner.command} -verify`
      : 'What to do now: give each share to its holder, and have the old ones destroyed.',
  )
}

function showStatus(
  status: JsonObject,
  { printer, program, flags: given, manner }: RekeyCall,
): void {
  if (printer.format !== 'table') return printer.data(status)
  const isVerification = given.verify && !given.init
  printer.line(
    tableText([['Key', 'Value'], ...(isVerification ? verificationRows : statusRows)(status)]),
  )
  printer.advise(
    whatIsNext(status, `${program.command} operator ${manner.command}`, isVerification),
  )
}

type Row = readonly [string, string]

function statusRows(status: JsonObject): readonly Row[] {
  const { nonce, started, progress, required, verification_nonce: verification } = status
  const rows: Row[] = [
    ['Nonce', textOf(nonce)],
    ['Started', goValue(started ?? false)],
  ]
  if (started !== true) return rows
  return [
    ...rows,
    ['Progress', `${numberOf(progress)}/${numberOf(required)}`],
    ['New Shares', goValue(numberOf(status['n']))],
    ['New Threshold', goValue(numberOf(status['t']))],
    ['Verification Required', goValue(status['verification_required'] ?? false)],
    ...(textOf(verification) === ''
      ? []
      : [['Verification Nonce', textOf(verification)] satisfies Row]),
    ...((stringsOf(status['pgp_fingerprints']) ?? []).length === 0
      ? []
      : ([
          ['PGP Fingerprints', goValue(status['pgp_fingerprints'])],
          ['Backup', goValue(status['backup'] ?? false)],
        ] satisfies Row[])),
  ]
}

function verificationRows(status: JsonObject): readonly Row[] {
  return [
    ['Started', goValue(status['started'] ?? false)],
    ['New Shares', goValue(numberOf(status['n']))],
    ['New Threshold', goValue(numberOf(status['t']))],
    ['Verification Nonce', textOf(status['nonce'])],
    ['Verification Progress', `${numberOf(status['progress'])}/${numberOf(status['t'])}`],
  ]
}

/** For a person under stress: where we are, and the one thing to do. */
function whatIsNext(status: JsonObject, again: string, isVerification: boolean): string {
  if (status['started'] !== true) return `Nothing is running. To begin: ${again} -init -verify`
  if (!isVerification && textOf(status['verification_nonce']) !== '')
    return `The new shares are made, and not active yet. Their holders run: ${again} -verify`
  const needed = numberOf(status[isVerification ? 't' : 'required'])
  const which = isVerification ? 'new' : 'present'
  const flag = isVerification ? ' -verify' : ''
  const missing = needed - numberOf(status['progress'])
  const shares = `${missing} more of the ${which} shares ${missing === 1 ? 'is' : 'are'}`
  return `${shares} needed. The next holder compares the nonce and runs: ${again}${flag}`
}
