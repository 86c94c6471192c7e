/** The client: requests to one server, as one token in one namespace. */
import { textsOf, type Answer } from './answer.ts'
import { Logins } from './auth.ts'
import { InvalidArgument, ResponseError, UnexpectedAnswer } from './errors.ts'
import type { JsonObject } from './json.ts'
import { Kv1 } from './kv1.ts'
import { Kv2 } from './kv2.ts'
import { keepAlive, type Renewal } from './renewal.ts'
import { send, type Fetch, type Wanted } from './send.ts'
import { Transit } from './transit.ts'

export interface ClientOptions {
  /** `https://HOST:PORT` */
  readonly address: string
  /** Default: none, until a login. */
  readonly token?: string
  /** Default: the root. */
  readonly namespace?: string
  /** Default: the platform's. */
  readonly fetch?: Fetch
  /** How long a request may take; default 60,000. */
  readonly timeoutMs?: number
}

const DEFAULT_TIMEOUT_MS = 60_000

/**
 * Asks the API that Keyhold, OpenBao and Vault have in common. A failed request throws one of `errors.ts`; nothing is
 * tried again by itself.
 */
export class Client {
  readonly #target: {
    address: URL
    token: string
    namespace: string
    fetch: Fetch
    timeoutMs: number
  }
  readonly auth: Logins = new Logins(this)

  /** @throws {InvalidArgument} the address is none */
  constructor(options: ClientOptions) {
    this.#target = {
      address: parseAddress(options.address),
      token: options.token ?? '',
      namespace: options.namespace ?? '',
      fetch: options.fetch ?? fetch,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    }
  }

  /** Whoever asks from now on. It cannot be read back, so that no log shows it. */
  useToken(token: string): void {
    this.#target.token = token
  }

  /** @returns undefined: the answer has no body (204) */
  request(wanted: Wanted): Promise<Answer | undefined> {
    return send(this.#target, wanted)
  }

  /** A request whose answer must have a body. */
  async ask(wanted: Wanted): Promise<Answer> {
    const answer = await this.request(wanted)
    if (answer !== undefined) return answer
    throw new UnexpectedAnswer(`${wanted.method} ${wanted.path}: the answer is empty`)
  }

  /** @returns undefined: nothing is there */
  read(path: string, query: Readonly<Record<string, string>> = {}): Promise<Answer | undefined> {
    return orNothing(this.request({ method: 'GET', path, query }))
  }

  /** @returns the names below a path; none where there is nothing */
  async list(path: string): Promise<string[]> {
    const answer = await this.read(path.endsWith('/') ? path : `${path}/`, { list: 'true' })
    return textsOf(answer?.data['keys'])
  }

  write(path: string, body: JsonObject = {}): Promise<Answer | undefined> {
    return this.request({ method: 'POST', path, body })
  }

  async delete(path: string): Promise<void> {
    await this.request({ method: 'DELETE', path })
  }

  /** The key-value engine, version 1. */
  kv1(mount: string): Kv1 {
    return new Kv1(this, mount)
  }

  /** The key-value engine, version 2. */
  kv2(mount = 'secret'): Kv2 {
    return new Kv2(this, mount)
  }

  transit(mount = 'transit'): Transit {
    return new Transit(this, mount)
  }

  /** Renews the client's token until that is stopped or cannot be done any more. */
  keepAlive(): Renewal {
    return keepAlive(this)
  }
}

function parseAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url
  throw new InvalidArgument('address: it must be like https://HOST:PORT')
}

async function orNothing(request: Promise<Answer | undefined>): Promise<Answer | undefined> {
  try {
    return await request
  } catch (error) {
    if (error instanceof ResponseError && error.status === 404) return undefined
    throw error
  }
}
