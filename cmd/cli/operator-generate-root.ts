/** The command `operator generate-root`: a new root token, where enough holders of key shares agree. */
import type { JsonObject } from '../../core/json.ts'
import { systemRandom } from '../../core/random.ts'
import type { Connection } from '../client/connection.ts'
import { askBare, perform } from '../client/logical.ts'
import { numberOf, textOf } from '../client/secret.ts'
import { goValue } from '../output/go-value.ts'
import { columnText } from '../output/table.ts'
import { wrapText } from '../output/wrap.ts'
import { refusedCaller, refusedShare, takeShare } from './ceremony-share.ts'
import { between, command } from './command.ts'
import type { Call } from './command.ts'
import { CommandFailed, EXIT_USAGE, UsageProblem, orFail } from './failure.ts'
import { text, yesNo } from './flags.ts'
import { pgpKey } from './operator-init.ts'

const flags = {
  init: yesNo('Begin. It prints the one-time password that the token is decoded with.'),
  cancel: yesNo('End the attempt that runs, and forget its shares.'),
  status: yesNo('Only show how far the attempt is.'),
  decode: text('Decode this encoded token, by -otp. "-" reads it from standard input.'),
  'generate-otp': yesNo('Only print a one-time password that fits -otp.'),
  otp: text('The one-time password, with -init or -decode.'),
  'pgp-key': text('With -init: a file with a public PGP key that the token is encrypted for.'),
  nonce: text('The nonce of the attempt; needed with a share that is not typed at the prompt.'),
  'recovery-token': yesNo('There is no recovery mode here.', { hidden: true }),
}
type RootCall = Call<typeof flags>

export const generateRoot = command({
  usage: 'operator generate-root [options] [KEY]',
  about: `Makes a new root token when the root tokens are revoked or lost. One person begins and keeps the one-time password. As many holders as unseal the server then give their key shares, at any machine; the last one sees the encoded token, which is worth nothing without the password. KEY is asked for and not shown while you type; "-" reads it from standard input.

  %p operator generate-root -init
  %p operator generate-root
  %p operator generate-root -decode=ENCODED_TOKEN -otp=PASSWORD

The server asks for a token with the right to sys/generate-root, unless its listener has disable_unauthed_generate_root_endpoints = false. Revoke the root token when the work is done.`,
  outputs: 'format',
  words: between(0, 1),
  flags,
  run: (call) =>
    act(call).catch((error: unknown) => {
      throw refusedCaller(error, 'disable_unauthed_generate_root_endpoints')
    }),
})

async function act(call: RootCall): Promise<void> {
  const given = call.flags
  if (given['recovery-token']) throw new UsageProblem('There is no recovery mode here.')
  const connection = call.connection()
  if (given['generate-otp']) return printPassword(connection, call)
  if (given.decode !== undefined && given.decode !== '') return decode(given.decode, call)
  if (given.cancel) return cancel(connection, call)
  if (given.init) return begin(connection, call)
  if (given.status) return showStatus(await askStatus(connection), call)
  return give(connection, call)
}

const ATTEMPT = 'sys/generate-root/attempt'

function askStatus(connection: Connection): Promise<JsonObject> {
  return orFail(
    'Error getting root generation status',
    askBare(connection, { method: 'GET', path: ATTEMPT }),
  )
}

/** Of a server that says no length. */
const DEFAULT_PASSWORD_CHARACTERS = 28

async function printPassword(connection: Connection, { printer }: RootCall): Promise<void> {
  const length = numberOf((await askStatus(connection))['otp_length'])
  const otp = systemRandom.base62(length || DEFAULT_PASSWORD_CHARACTERS)
  if (printer.format === 'table') printer.value(otp)
  else printer.data({ otp, otp_length: otp.length })
}

async function decode(given: string, { flags: { otp = '' }, ...call }: RootCall): Promise<void> {
  if (otp === '') throw new UsageProblem('Missing otp: use -otp to supply it')
  const encoded = given === '-' ? (await call.terminal.readInput()).toString('utf8').trim() : given
  const bytes = Buffer.from(encoded, 'base64')
  const password = Buffer.from(otp)
  if (bytes.length !== password.length)
    throw new CommandFailed(
      `Error decoding root token: the encoded token has ${bytes.length} bytes and the one-time password ${password.length}: they do not belong together`,
      EXIT_USAGE,
    )
  const token = bytes.map((byte, i) => byte ^ (password[i] ?? 0))
  const decoded = Buffer.from(token).toString('utf8')
  if (call.printer.format === 'table') call.printer.value(decoded)
  else call.printer.data({ token: decoded })
}

async function cancel(connection: Connection, { printer, program }: RootCall): Promise<void> {
  await orFail(
    'Error canceling root token generation',
    perform(connection, { method: 'DELETE', path: ATTEMPT }),
  )
  printer.line('Success! Root token generation canceled (if it was started)')
  printer.advise(
    `No token was made, and the shares given so far are forgotten. To begin anew: ${program.command} operator generate-root -init`,
  )
}

async function begin(connection: Connection, call: RootCall): Promise<void> {
  const { otp = '', 'pgp-key': keyFile = '' } = call.flags
  if (otp !== '' && keyFile !== '')
    throw new UsageProblem('Error initializing: cannot specify both -otp and -pgp-key')
  const body = { otp, pgp_key: keyFile === '' ? '' : await pgpKey(keyFile) }
  const status = await orFail(
    'Error initializing root generation',
    askBare(connection, { method: 'PUT', path: ATTEMPT, body }),
  )
  showStatus(status, call)
}

async function give(connection: Connection, call: RootCall): Promise<void> {
  const { program, printer } = call
  const status = await askStatus(connection)
  if (status['started'] !== true) {
    printer.warn(
      wrapText(
        `If starting root generation using the OTP method and generating your own OTP, the length of the OTP string needs to be ${numberOf(status['otp_length'])} characters in length.`,
      ),
    )
    throw new UsageProblem(
      wrapText(
        `No root generation is in progress. Start a root generation by running "${program.command} operator generate-root -init".`,
      ),
    )
  }
  const body = { ...(await takeShare(call, status, call.flags.nonce)) }
  const after = await orFail(
    'Error posting unseal key',
    askBare(connection, { method: 'PUT', path: 'sys/generate-root/update', body }),
  ).catch((error: unknown) => {
    throw refusedShare(error, `${program.command} operator generate-root`)
  })
  showStatus(after, call)
}

function showStatus(status: JsonObject, { printer, program }: RootCall): void {
  if (printer.format !== 'table') return printer.data(status)
  const otp = textOf(status['otp'])
  if (otp !== '')
    printer.warn(
      wrapText(
        'A One-Time-Password has been generated for you and is shown in the OTP field. You will need this value to decode the resulting root token, so keep it safe.',
      ),
    )
  printer.line(columnText(rowsOf(status)))
  printer.advise(whatIsNext(status, `${program.command} operator generate-root`))
}

function rowsOf(status: JsonObject): string[][] {
  const { nonce, started, progress, required, complete } = status
  const more = [
    ['PGP Fingerprint', textOf(status['pgp_fingerprint'])],
    ['Encoded Token', textOf(status['encoded_token'])],
    ['OTP', textOf(status['otp'])],
    ['OTP Length', goValue(numberOf(status['otp_length']))],
  ].filter(([, value]) => value !== '' && value !== '0')
  return [
    ['Nonce', textOf(nonce)],
    ['Started', goValue(started ?? false)],
    ['Progress', `${numberOf(progress)}/${numberOf(required)}`],
    ['Complete', goValue(complete ?? false)],
    ...more,
  ]
}

/** For a person under stress: where we are, and the one thing to do. */
function whatIsNext(status: JsonObject, again: string): string {
  const encoded = textOf(status['encoded_token'])
  if (encoded !== '' && textOf(status['pgp_fingerprint']) !== '')
    return `The token is made. Who has the PGP key reads it by: echo ${encoded} | base64 -d | gpg -d`
  if (encoded !== '')
    return `The token is made. Who keeps the one-time password reads it by: ${again} -decode=${encoded} -otp=PASSWORD`
  if (status['started'] !== true) return `Nothing is running. To begin: ${again} -init`
  const missing = numberOf(status['required']) - numberOf(status['progress'])
  const shares = missing === 1 ? '1 more key share is' : `${missing} more key shares are`
  const keep = textOf(status['otp']) === '' ? '' : 'Note the OTP and show it to nobody. '
  return `${keep}${shares} needed. The next holder compares the nonce and runs: ${again}`
}
