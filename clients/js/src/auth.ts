/** Logging in: each method gives the client a token, and says what it is worth. */
import { readFile } from 'node:fs/promises'
import { numberIn, textsOf, type Auth } from './answer.ts'
import type { Client } from './client.ts'
import { UnexpectedAnswer } from './errors.ts'
import type { JsonObject } from './json.ts'

/** What is known of the client's own token. */
export interface TokenInfo {
  readonly policies: readonly string[]
  readonly renewable: boolean
  /** How long it still lives; 0: it does not end. */
  readonly ttlSeconds: number
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/** `mount` is the path of the method below `auth/`; by default it is the method's name. */
export class Logins {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** Uses a token that is there already. @throws {ResponseError} 403: it is not valid */
  async token(token: string): Promise<TokenInfo> {
    this.#client.useToken(token)
    return this.lookup()
  }

  async lookup(): Promise<TokenInfo> {
    const { data } = await this.#client.ask({ method: 'GET', path: 'auth/token/lookup-self' })
    return {
      policies: textsOf(data['policies']),
      renewable: data['renewable'] === true,
      ttlSeconds: numberIn(data, 'ttl'),
    }
  }

  /** Prolongs the client's token by its own period. */
  async renew(): Promise<Auth> {
    return this.#authOf('auth/token/renew-self', {})
  }

  approle(
    login: { readonly roleId: string; readonly secretId?: string },
    mount = 'approle',
  ): Promise<Auth> {
    const { roleId, secretId } = login
    return this.at(`auth/${mount}/login`, { role_id: roleId, secret_id: secretId })
  }

  userpass(
    login: { readonly username: string; readonly password: string },
    mount = 'userpass',
  ): Promise<Auth> {
    return this.at(`auth/${mount}/login/${login.username}`, { password: login.password })
  }

  jwt(login: { readonly jwt: string; readonly role?: string }, mount = 'jwt'): Promise<Auth> {
    return this.at(`auth/${mount}/login`, { jwt: login.jwt, role: login.role })
  }

  /** `jwt` is by default the token of the pod's service account. */
  async kubernetes(
    login: { readonly role: string; readonly jwt?: string },
    mount = 'kubernetes',
  ): Promise<Auth> {
    const jwt = login.jwt ?? (await readFile(SERVICE_ACCOUNT, 'utf8')).trim()
    return this.at(`auth/${mount}/login`, { role: login.role, jwt })
  }

  /** Any other method, by its whole path. */
  async at(path: string, body: JsonObject): Promise<Auth> {
    const auth = await this.#authOf(path, body)
    this.#client.useToken(auth.token)
    return auth
  }

  async #authOf(path: string, body: JsonObject): Promise<Auth> {
    const { auth } = await this.#client.ask({ method: 'POST', path, body })
    if (auth !== undefined) return auth
    throw new UnexpectedAnswer(`${path}: the answer has no \`auth\``)
  }
}
