/**
 * The management API of a broker: https://www.rabbitmq.com/docs/http-api-reference.
 *
 * Errors say what the broker said, without the passwords that it was sent. A redirection is not followed: the password
 * of an administrator goes to the address that was configured, and nowhere else.
 */
import { RequestError } from '../../core/errors.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import type { Connection, Role } from './records.ts'

/** One call. All that a request does has a limit of its own beside. */
const CALL_MS = 20_000
/** Of what the broker says, in an error. */
const MOST_CHARACTERS = 300
const MOST_BYTES = 64 * 1024
/** What is said of a connection that the other end has closed. */
const CLOSED = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

export type Access = Pick<Connection, 'uri' | 'username' | 'password'>

/** 502: there is no answer, or none of a broker that works. */
export class BrokerUnavailable extends RequestError {
  override readonly name = 'BrokerUnavailable'
  constructor(why: string) {
    super(502, `RabbitMQ does not answer at the connection_uri: ${why}`)
  }
}

/** 400: the broker does not do it. */
export class BrokerRefused extends RequestError {
  override readonly name = 'BrokerRefused'
  constructor(what: string, said: string) {
    super(400, `${what}: RabbitMQ says ${said}`)
  }
}

/** Whether it answers, and the user may see the other users. @throws {RequestError} it does not */
export async function verify(access: Access, signal: AbortSignal): Promise<void> {
  await new Broker(access, [], signal).call('GET', ['users'], 'the connection does not work')
}

/** Makes a user with the rights of a role. @throws {RequestError} it may be there all the same, with less rights */
export async function createUser(
  access: Access,
  user: { readonly username: string; readonly password: string },
  { tags, vhosts, vhostTopics }: Role,
  signal: AbortSignal,
): Promise<void> {
  const { username, password } = user
  const broker = new Broker(access, [password], signal)
  await broker.call('PUT', ['users', username], 'the user could not be made', { password, tags })
  for (const [vhost, rights] of Object.entries(vhosts)) {
    const what = 'the user could not be given its rights in a virtual host'
    await broker.call('PUT', ['permissions', vhost, username], what, rights)
  }
  for (const [vhost, exchanges] of Object.entries(vhostTopics)) {
    for (const [exchange, rights] of Object.entries(exchanges)) {
      const what = 'the user could not be given its rights to topics of an exchange'
      const body = { exchange, ...rights }
      await broker.call('PUT', ['topic-permissions', vhost, username], what, body)
    }
  }
}

/** Removes a user, with its rights and its connections. One that is not there is removed already. */
export async function removeUser(
  access: Access,
  username: string,
  signal: AbortSignal,
): Promise<void> {
  const broker = new Broker(access, [], signal)
  await broker.call('DELETE', ['users', username], 'the user could not be removed')
}

interface Said {
  readonly status: number
  readonly text: string
}

class Broker {
  readonly #access: Access
  readonly #secrets: readonly string[]
  readonly #signal: AbortSignal

  /** @param secrets what no error may hold, beside the administrator's own password */
  constructor(access: Access, secrets: readonly string[], signal: AbortSignal) {
    this.#access = access
    this.#secrets = [access.password, ...secrets]
    this.#signal = signal
  }

  /** @throws {RequestError} it was not done, or nobody knows */
  async call(
    method: 'GET' | 'PUT' | 'DELETE',
    segments: readonly string[],
    what: string,
    body?: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { uri, username, password } = this.#access
    const response = await this.#send(addressOf(uri, segments), {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      redirect: 'manual',
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(CALL_MS)]),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const { status, text } = response
    if (status >= 200 && status < 300) return
    if (method === 'DELETE' && status === 404) return
    if (status >= 500) throw new BrokerUnavailable(`${status} ${this.#said(text)}`.trim())
    throw new BrokerRefused(what, `${status} ${this.#said(text)}`.trim())
  }

  /**
   * A connection that was kept open may have been closed at the other end when it is used again: then once more, over a new
   * one. Each call may be done twice.
   */
  async #send(url: URL, init: RequestInit, isAgain = false): Promise<Said> {
    try {
      const response = await fetch(url, init)
      return { status: response.status, text: await beginningOf(response) }
    } catch (error) {
      // The request's own time is over, and says so better.
      this.#signal.throwIfAborted()
      const reason = reasonOf(error)
      if (CLOSED.has(reason) && !isAgain) return this.#send(url, init, true)
      throw new BrokerUnavailable(reason)
    }
  }

  #said(text: string): string {
    const said = this.#secrets
      .filter((secret) => secret !== '')
      .reduce((left, secret) => left.replaceAll(secret, '[password]'), messageOf(text))
    return said.slice(0, MOST_CHARACTERS)
  }
}

function addressOf(uri: string, segments: readonly string[]): URL {
  const url = new URL(uri)
  const path = ['api', ...segments].map(encodeURIComponent).join('/')
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`
  return url
}

async function beginningOf(response: Response): Promise<string> {
  const body: ReadableStream<Uint8Array> | null = response.body
  const reader = body?.getReader()
  const chunks: Uint8Array[] = []
  for (let bytes = 0; bytes < MOST_BYTES;) {
    const chunk = await reader?.read()
    if (chunk?.value === undefined) break
    chunks.push(chunk.value)
    bytes += chunk.value.length
  }
  await reader?.cancel()
  return Buffer.concat(chunks).toString('utf8')
}

/** The broker says `{"error": "not_authorised", "reason": "..."}`; what stands before it, a page of its own. */
function messageOf(text: string): string {
  try {
    const said = parseJson(text)
    if (!isJsonObject(said)) return ''
    return ['error', 'reason']
      .map((name) => said[name])
      .filter((part) => typeof part === 'string')
      .join(': ')
  } catch (error) {
    if (error instanceof SyntaxError) return ''
    throw error
  }
}

/** By the code alone: messages of the network hold addresses, and those of a URL all of it. */
function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return `no answer within ${CALL_MS / 1000} s`
  }
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code
  return 'the connection broke'
}
