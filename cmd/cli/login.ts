/** The command `login`. */
import { connectionWithToken } from '../client/connection.ts'
import type { Connection } from '../client/connection.ts'
import { unwrapSecret } from '../client/logical.ts'
import type { Secret } from '../client/secret.ts'
import { wrapText } from '../output/wrap.ts'
import { atLeast, command } from './command.ts'
import type { Call } from './command.ts'
import { inputOf, parseTexts } from './data-args.ts'
import { setting } from '../client/environment.ts'
import { CommandFailed, UsageProblem, orFail, reasonOf } from './failure.ts'
import { text, yesNo } from './flags.ts'
import { LOGIN_METHODS } from './login-methods.ts'
import { bare } from './paths.ts'
import { writeTokenFile } from './token-file.ts'

const flags = {
  method: text(
    'Type of the auth method: token (default), userpass, ldap, approle, jwt, cert, kubernetes, radius.',
  ),
  path: text('Where the method is mounted; default: named like its type.'),
  'no-store': yesNo('Do not keep the token for later commands.'),
  'no-print': yesNo('Do not print the token.'),
  'token-only': yesNo('Print nothing but the token, and do not keep it.'),
}

export const login = command({
  usage: 'login [options] [TOKEN | K=V...]',
  about: `Logs in, and keeps the token in ~/.vault-token (readable by you only), from where later commands take it. A token or password that is not given is asked for and not shown. "%p auth help TYPE" tells what a method needs.

  %p login
  %p login -method=userpass username=ann
  %p login -method=approle role_id=… secret_id=-`,
  outputs: 'field',
  words: atLeast(0),
  flags,
  async run(call) {
    const given = { ...call.flags }
    const tokenOnly = given['token-only']
    const store = !(given['no-store'] || tokenOnly)
    if (!store && given['no-print'])
      throw new UsageProblem('-no-store and -no-print cannot be used together')
    const connection = call.connection({ withToken: false })
    const answered = await authenticate(call, connection)
    if (answered?.auth?.mfaRequirement) return askForSecondFactor(call, answered)
    const secret = await extractToken(connection, answered, { unwrap: store })
    if (secret.auth === undefined) return showWrapped(call, secret, tokenOnly)
    if (store) keep(call, secret)
    else if (!tokenOnly) warnNotKept(call)
    if (!given['no-print']) show(call, secret, tokenOnly ? 'token' : call.field)
  },
})

async function authenticate(
  call: Call<typeof flags>,
  connection: Connection,
): Promise<Secret | undefined> {
  const type = bare(call.flags.method ?? '') || 'token'
  const method = Object.hasOwn(LOGIN_METHODS, type) ? LOGIN_METHODS[type] : undefined
  if (method === undefined)
    throw new UsageProblem(
      wrapText(
        `Unknown auth method: ${type}. Use "${call.program.command} auth list" to see the complete list of auth methods. Additionally, some auth methods are only available via the HTTP API.`,
      ),
    )
  const given = await parseTexts(
    tokenFirst(call.args, type),
    inputOf(call),
    'Error parsing configuration',
  )
  const { terminal, nonInteractive } = call
  const { mount: named = '' } = given
  const { path = '' } = call.flags
  const mount = bare(named || path || type)
  return orFail(
    'Error authenticating',
    method.login({ connection, mount, given, terminal, nonInteractive }),
  )
}

/** `login TOKEN` is short for `login token=TOKEN`; `login -` reads it. */
function tokenFirst(args: readonly string[], type: string): readonly string[] {
  const [first, ...rest] = args
  return type === 'token' && first !== undefined && !first.includes('=')
    ? [`token=${first}`, ...rest]
    : args
}

function askForSecondFactor({ printer }: Call<typeof flags>, secret: Secret): void {
  printer.warn(
    wrapText('The login waits for a second factor: answer it with a request to sys/mfa/validate.') +
      '\n',
  )
  printer.secret(secret)
}

async function extractToken(
  connection: Connection,
  secret: Secret | undefined,
  { unwrap }: { unwrap: boolean },
): Promise<Secret> {
  const problem = (reason: string): CommandFailed =>
    new CommandFailed(`Error extracting token: ${reason}`)
  if (secret === undefined) throw problem('empty response from auth helper')
  if (secret.auth !== undefined) return secret
  if (secret.wrapInfo === undefined) throw problem('no auth or wrapping info in response')
  if (secret.wrapInfo.wrappedAccessor === '')
    throw problem('wrapped response does not contain a token')
  if (!unwrap) return secret
  const inner = { ...connectionWithToken(connection, secret.wrapInfo.token), wrapTtl: undefined }
  const unwrapped = await orFail('Error extracting token', unwrapSecret(inner, ''))
  return extractToken(connection, unwrapped, { unwrap })
}

function showWrapped({ printer }: Call<typeof flags>, secret: Secret, tokenOnly: boolean): void {
  if (tokenOnly) printer.field(secret, 'wrapping_token')
  else printer.secret(secret)
}

function keep({ terminal, printer, program }: Call<typeof flags>, secret: Secret): void {
  try {
    writeTokenFile(
      terminal.home,
      secret.auth?.clientToken ?? '',
      setting(terminal.env, 'TOKEN_PATH'),
    )
  } catch (error) {
    printer.warn(`Error storing token: ${reasonOf(error)}`)
    printer.warn(
      wrapText(
        'The login worked, but the token could not be kept. It is shown here for you to note:',
      ) + '\n',
    )
    printer.secret(secret)
    throw new CommandFailed('')
  }
  if (setting(terminal.env, 'TOKEN') !== undefined)
    printer.warn(
      wrapText(
        `WARNING! ${program.tokenVariable} (or a variable like it) is set in the environment and is used instead of the token just stored. Unset it to use that one.`,
      ) + '\n',
    )
}

function warnNotKept({ printer, program }: Call<typeof flags>): void {
  printer.warn(
    wrapText(
      `The token was not stored. Set ${program.tokenVariable} in the environment, or give the token below with each request.`,
    ) + '\n',
  )
}

function show(
  { printer, program }: Call<typeof flags>,
  secret: Secret,
  field: string | undefined,
): void {
  if (field !== undefined) return printer.field(secret, field)
  if (printer.format === 'table')
    printer.line(
      wrapText(
        `Success! You are now authenticated. The token information displayed below is already stored in the token helper. You do NOT need to run "${program.command} login" again. Future ${program.product} requests will automatically use this token.`,
      ) + '\n',
    )
  printer.secret(secret)
}
