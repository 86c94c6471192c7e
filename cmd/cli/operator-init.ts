/** The command `operator init`: makes the root key and hands out its shares, once in a server's life. */
import { readFile } from 'node:fs/promises'
import type { JsonObject } from '../../core/json.ts'
import type { Connection } from '../client/connection.ts'
import { askBare } from '../client/logical.ts'
import { stringsOf, textOf } from '../client/secret.ts'
import { goValue } from '../output/go-value.ts'
import type { Printable } from '../output/printable.ts'
import type { Printer } from '../output/printer.ts'
import { wrapText } from '../output/wrap.ts'
import { command } from './command.ts'
import { EXIT_REMOTE, EXIT_USAGE, UsageProblem, orFail, reasonOf } from './failure.ts'
import { list, text, whole, yesNo } from './flags.ts'
import type { FlagValues } from './flags.ts'
import type { Program } from './program.ts'

/** A majority of five: three people can act, two can be ill, no two alone can do it. */
const DEFAULT_SHARES = 5
const DEFAULT_THRESHOLD = 3

const flags = {
  status: yesNo('Only say whether the server is initialised: exit code 0 yes, 2 no, 1 unknown.'),
  'key-shares': whole('Into how many shares the key is split; default 5.', { alias: 'n' }),
  'key-threshold': whole('How many of them unseal the server; default 3.', { alias: 't' }),
  'pgp-keys': list(
    'Files with public PGP keys, with commas between, one a share: each share is encrypted for its holder.',
  ),
  holder: list(
    'The name of who gets a share, once for each share, in order: `operator share check` tells it again.',
  ),
  'root-token-pgp-key': text('File with a public PGP key that the root token is encrypted for.'),
  'recovery-shares': whole(
    'Into how many shares the recovery key is split, where the seal opens by itself.',
  ),
  'recovery-threshold': whole('How many of them are needed.'),
  'recovery-pgp-keys': list('As -pgp-keys, for the shares of the recovery key.'),
  'stored-shares': whole('Not used; taken for old scripts.', { hidden: true }),
}

export const init = command({
  usage: 'operator init [options]',
  about: `Prepares a new server: makes its root key, splits it into shares, and prints the shares and the first token. They are shown this once. Give each share to another person; the server keeps none of them.

  %p operator init
  %p operator init -key-shares=3 -key-threshold=2 -holder=Ann -holder=Bob -holder=Cy
  %p operator init -key-shares=3 -key-threshold=2 -format=json`,
  outputs: 'format',
  flags,
  async run(call) {
    const { printer, program } = call
    const connection = call.connection()
    if (call.flags.status) return showWhetherInitialised(connection, printer, program)
    const before = await askBare(
      { ...connection, mode: 'send' },
      { method: 'GET', path: 'sys/seal-status' },
    )
    const body = await initBody(call.flags, before['recovery_seal'] === true)
    const answer = await orFail(
      'Error initializing',
      askBare(connection, { method: 'PUT', path: 'sys/init', body }),
    )
    if (printer.format === 'table') showKeys(answer, body, call)
    else printer.data(keyMembers(answer, body))
    return 0
  },
})

async function showWhetherInitialised(
  connection: Connection,
  printer: Printer,
  { server }: Program,
): Promise<number> {
  const answer = await orFail(
    'Error checking init status',
    askBare(connection, { method: 'GET', path: 'sys/init' }),
    EXIT_USAGE,
  )
  const initialised = answer['initialized'] === true
  if (printer.format === 'table')
    printer.line(`${server} is ${initialised ? '' : 'not '}initialized`)
  else printer.data({ initialized: initialised })
  return initialised ? 0 : EXIT_REMOTE
}

/** @param opensItself the seal needs no shares; they are then those of the recovery key */
async function initBody(
  given: FlagValues<typeof flags>,
  opensItself: boolean,
): Promise<JsonObject> {
  const own = opensItself
    ? {
        recovery_shares: given['recovery-shares'] ?? DEFAULT_SHARES,
        recovery_threshold: given['recovery-threshold'] ?? DEFAULT_THRESHOLD,
      }
    : { recovery_shares: 0, recovery_threshold: 0 }
  const shares = opensItself ? 0 : DEFAULT_SHARES
  const threshold = opensItself ? 0 : DEFAULT_THRESHOLD
  const rootKey = given['root-token-pgp-key']
  return {
    secret_shares: (given['key-shares'] ?? 0) || shares,
    secret_threshold: (given['key-threshold'] ?? 0) || threshold,
    pgp_keys: await pgpKeys(given['pgp-keys']),
    ...(given.holder.length === 0 ? {} : { secret_share_holders: given.holder }),
    root_token_pgp_key: rootKey === undefined ? '' : await pgpKey(rootKey),
    ...own,
    recovery_pgp_keys: await pgpKeys(given['recovery-pgp-keys']),
  }
}

export async function pgpKeys(files: readonly string[]): Promise<readonly string[] | null> {
  const paths = files.flatMap((item) => item.split(',')).map((path) => path.trim())
  return paths.length === 0 ? null : Promise.all(paths.map(pgpKey))
}

const ARMOUR =
  /-----BEGIN PGP [^\n]+\n(?:[^\n]+: [^\n]*\n)*\r?\n([A-Za-z0-9+/=\s]+?)(?:\r?\n=[A-Za-z0-9+/]{4})?\s*-----END PGP/

/** The key in base64, whether its file is armoured, base64 already, or binary. */
export async function pgpKey(path: string): Promise<string> {
  if (path.startsWith('keybase:'))
    throw new UsageProblem(
      'Keys are not fetched from keybase: save the public key in a file and name that.',
    )
  let content: Buffer
  try {
    content = await readFile(path.replace(/^@/, ''))
  } catch (cause) {
    throw new UsageProblem(`The file of the PGP key ${path} cannot be read: ${reasonOf(cause)}`)
  }
  const asText = content.toString('latin1')
  const armoured = ARMOUR.exec(asText.replaceAll('\r\n', '\n'))?.[1]
  if (armoured !== undefined) return armoured.replaceAll(/\s/g, '')
  return /^[A-Za-z0-9+/=\s]+$/.test(asText)
    ? asText.replaceAll(/\s/g, '')
    : content.toString('base64')
}

interface Shown {
  readonly printer: Printer
  readonly program: Program
}

function showKeys(answer: JsonObject, body: JsonObject, { printer, program }: Shown): void {
  const keys = stringsOf(answer['keys_base64']) ?? []
  const recoveryKeys = stringsOf(answer['recovery_keys_base64']) ?? []
  const holders = stringsOf(body['secret_share_holders'] ?? null) ?? []
  keys.forEach((key, at) => printer.line(`Unseal Key ${at + 1}${forHolder(holders[at])}: ${key}`))
  recoveryKeys.forEach((key, at) => printer.line(`Recovery Key ${at + 1}: ${key}`))
  printer.line(`\nInitial Root Token: ${textOf(answer['root_token'])}`)
  if (keys.length === 0) printer.line(`\nSuccess! ${program.server} is initialized`)
  else for (const paragraph of warningTexts(body, program)) printer.line(`\n${wrapText(paragraph)}`)
  if (recoveryKeys.length > 0)
    printer.line(
      `\n${wrapText(
        `Recovery key initialized with ${goValue(body['recovery_shares'])} key shares and a key threshold of ${goValue(body['recovery_threshold'])}. Give each of the shares above to another person.`,
      )}`,
    )
  printer.advise(
    `What to do now: note the keys and the token, each in its own safe place, then have ${goValue(body['secret_threshold'])} of the holders run: ${program.command} operator unseal`,
  )
}

/** Behind a share's number, where its holder was named. */
export function forHolder(name: string | undefined): string {
  return name === undefined ? '' : ` (for ${name})`
}

/** Under the names `vault` and `bao` in the words that suites compare, else in our own. */
function warningTexts(body: JsonObject, program: Program): readonly string[] {
  const shares = goValue(body['secret_shares'])
  const threshold = goValue(body['secret_threshold'])
  if (program.command === 'keyhold')
    return [
      `The key was split into ${shares} shares; any ${threshold} of them unseal the server. Give each share to another person. The server starts sealed: after each start that many holders have to give theirs.`,
      `Keyhold keeps no share. With fewer than ${threshold} of them left, nothing that it stores can ever be opened again.`,
    ]
  const again = program.command === 'bao' ? 'rotate-keys' : 'rekey'
  return [
    `Vault initialized with ${shares} key shares and a key threshold of ${threshold}. Please securely distribute the key shares printed above. When the Vault is re-sealed, restarted, or stopped, you must supply at least ${threshold} of these keys to unseal it before it can start servicing requests.`,
    `Vault does not store the generated root key. Without at least ${threshold} keys to reconstruct the root key, Vault will remain permanently sealed!`,
    `It is possible to generate new unseal keys, provided you have a quorum of existing unseal keys shares. See "${program.command} operator ${again}" for more information.`,
  ]
}

function keyMembers(answer: JsonObject, body: JsonObject): ReadonlyMap<string, Printable> {
  const hasKeys = (stringsOf(answer['keys']) ?? []).length > 0
  return new Map<string, Printable>([
    ['unseal_keys_b64', answer['keys_base64'] ?? null],
    ['unseal_keys_hex', answer['keys'] ?? null],
    ['unseal_shares', hasKeys ? (body['secret_shares'] ?? 0) : 1],
    ['unseal_threshold', hasKeys ? (body['secret_threshold'] ?? 0) : 1],
    ['recovery_keys_b64', answer['recovery_keys_base64'] ?? null],
    ['recovery_keys_hex', answer['recovery_keys'] ?? null],
    ['recovery_keys_shares', body['recovery_shares'] ?? 0],
    ['recovery_keys_threshold', body['recovery_threshold'] ?? 0],
    ['root_token', answer['root_token'] ?? ''],
  ])
}
