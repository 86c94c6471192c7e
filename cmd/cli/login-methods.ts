/**
 * How each auth method logs in: what it needs, where that is sent. Everything else (storing, printing) is the same for
 * all and lies in `login.ts`.
 */
import { readFile } from 'node:fs/promises'
import type { JsonObject } from '../../core/json.ts'
import { connectionWithToken } from '../client/connection.ts'
import type { Connection } from '../client/connection.ts'
import { ClientProblem, RequestFailed } from '../client/errors.ts'
import { askSecret, writeSecret } from '../client/logical.ts'
import { numberOf, objectOf, secretOfAuth, stringsOf, textOf } from '../client/secret.ts'
import type { Secret } from '../client/secret.ts'
import { InputEnded, Interrupted, NoTerminal } from './terminal.ts'
import type { Terminal } from './terminal.ts'

interface LoginRequest {
  /** Without a token, unless the method is `token`. */
  readonly connection: Connection
  /** Where the method is mounted: `userpass`. */
  readonly mount: string
  /** What was typed as `key=value`. */
  readonly given: Readonly<Record<string, string>>
  readonly terminal: Terminal
  readonly nonInteractive: boolean
}

interface LoginMethod {
  readonly login: (request: LoginRequest) => Promise<Secret | undefined>
  /** One line a parameter, for help. */
  readonly parameters: readonly string[]
}

export const LOGIN_METHODS: Readonly<Record<string, LoginMethod>> = {
  token: {
    login: lookupToken,
    parameters: [
      'token=TOKEN    the token; asked for where it is missing',
      'lookup=false   store it without asking the server about it',
    ],
  },
  userpass: password('userpass'),
  ldap: password('ldap'),
  radius: password('radius'),
  approle: {
    login: ({ connection, mount, given }) =>
      submit(connection, mount, { role_id: need(given, 'role_id'), ...some(given, 'secret_id') }),
    parameters: [
      'role_id=ID      the role',
      'secret_id=ID    its secret, where the role needs one',
    ],
  },
  jwt: {
    login: ({ connection, mount, given }) =>
      submit(connection, mount, { ...some(given, 'role'), jwt: need(given, 'jwt') }),
    parameters: [
      'role=NAME       the role',
      'jwt=TOKEN       the signed token; jwt=@FILE reads a file',
    ],
  },
  cert: {
    login: ({ connection, mount, given }) => submit(connection, mount, some(given, 'name')),
    parameters: [
      'name=NAME       the role; default: any that fits the certificate of -client-cert',
    ],
  },
  kubernetes: {
    login: async ({ connection, mount, given }) =>
      submit(connection, mount, {
        role: need(given, 'role'),
        jwt: given['jwt'] ?? (await readPodToken(given['token_path'])),
      }),
    parameters: [
      'role=NAME       the role',
      "jwt=TOKEN       the service account's token; default: that of this pod",
      'token_path=FILE where that lies',
    ],
  },
}

function need(given: Readonly<Record<string, string>>, name: string): string {
  const value = given[name] ?? ''
  if (value === '') throw new ClientProblem(`'${name}' must be specified`)
  return value
}

function some(given: Readonly<Record<string, string>>, name: string): JsonObject {
  const value = given[name]
  return value === undefined ? {} : { [name]: value }
}

function submit(
  connection: Connection,
  mount: string,
  body: JsonObject,
): Promise<Secret | undefined> {
  return writeSecret(connection, `auth/${mount}/login`, body)
}

function password(method: string): LoginMethod {
  return {
    async login(request) {
      const { connection, mount, given } = request
      const username = need(given, 'username')
      const secret = (given['password'] ?? '') || (await askHidden(request, 'password', 'Password'))
      return writeSecret(connection, `auth/${mount}/login/${username}`, { password: secret })
    },
    parameters: [
      `username=NAME   the user of ${method}`,
      'password=WORD   the password; asked for where it is missing',
    ],
  }
}

async function askHidden(request: LoginRequest, name: string, title: string): Promise<string> {
  const { terminal, nonInteractive } = request
  if (nonInteractive)
    throw new ClientProblem(
      `'${name}' must be given: -non-interactive keeps it from being asked for`,
    )
  try {
    return await terminal.askHidden({ text: `${title} (will be hidden): `, on: 'err' })
  } catch (error) {
    if (error instanceof Interrupted) throw new ClientProblem('user interrupted')
    if (error instanceof NoTerminal)
      throw new ClientProblem(
        `there is no terminal to ask for the ${name} at; give ${name}=VALUE, or - to read it from standard input`,
      )
    if (error instanceof InputEnded)
      throw new ClientProblem(
        `the input ended before the ${name} was given; type it, or give ${name}=VALUE`,
      )
    throw error
  }
}

/** Where Kubernetes puts the token of a pod's service account. */
const POD_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

async function readPodToken(path = POD_TOKEN): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw new ClientProblem(`the service account's token cannot be read at ${path}; give jwt=…`, {
      cause,
    })
  }
}

/** A token is not made but given: what the server knows of it is put into the form of a login's answer. */
async function lookupToken(request: LoginRequest): Promise<Secret | undefined> {
  const { given, connection } = request
  const lookup = parseLookup(given['lookup'])
  const token = (given['token'] ?? (await askHidden(request, 'token', 'Token'))).trim()
  if (token === '') throw new ClientProblem('a token is needed: login TOKEN')
  if (!lookup) return secretOfToken(token, {})
  const asking = { ...connectionWithToken(connection, token), wrapTtl: undefined }
  const found = await askSecret(asking, { method: 'GET', path: 'auth/token/lookup-self' }).catch(
    (cause: unknown) => {
      if (!(cause instanceof RequestFailed)) throw cause
      throw new ClientProblem(`error looking up token: ${cause.message}`, { cause })
    },
  )
  return secretOfToken(token, found?.data ?? {})
}

function parseLookup(text: string | undefined): boolean {
  if (text === undefined || /^(?:1|t|true)$/i.test(text)) return true
  if (/^(?:0|f|false)$/i.test(text)) return false
  throw new ClientProblem("'lookup' must be true or false")
}

function secretOfToken(token: string, data: JsonObject): Secret {
  const tokenPolicies = stringsOf(data['policies'])
  const identityPolicies = stringsOf(data['identity_policies'])
  return secretOfAuth({
    clientToken: textOf(data['id']) || token,
    accessor: textOf(data['accessor']),
    policies:
      tokenPolicies === null ? identityPolicies : [...tokenPolicies, ...(identityPolicies ?? [])],
    tokenPolicies,
    identityPolicies,
    metadata: objectOf(data['meta']),
    orphan: false,
    entityId: '',
    leaseSeconds: numberOf(data['ttl']),
    renewable: data['renewable'] === true,
    mfaRequirement: null,
  })
}
