/** One request over HTTP: its URL, its headers, and what the answer's status means. */
import { answerOf, type Answer } from './answer.ts'
import { InvalidArgument, NoAnswer, ResponseError, UnexpectedAnswer } from './errors.ts'
import { parseObject, type JsonObject } from './json.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
/** The platform's `fetch`, or what stands in for it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface Target {
  /** `https://HOST:PORT` */
  readonly address: URL
  readonly token: string
  readonly namespace: string
  readonly fetch: Fetch
  /** From start to the last byte of the answer. */
  readonly timeoutMs: number
}

export interface Wanted {
  readonly method: Method
  /** Below `/v1/`, in plain characters: it is escaped here. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: JsonObject
}

const REDIRECTS: readonly number[] = [301, 302, 307, 308]

/**
 * @returns undefined: the server answered without a body
 * @throws {ResponseError} @throws {NoAnswer} @throws {UnexpectedAnswer} @throws {InvalidArgument}
 */
export async function send(target: Target, wanted: Wanted): Promise<Answer | undefined> {
  const asked = `${wanted.method} ${wanted.path}`
  const { status, text } = await exchange(target, wanted, asked)
  const body = parseObject(text)
  if (status >= 300) throw new ResponseError(asked, status, body)
  if (text === '') return undefined
  if (body === undefined) throw new UnexpectedAnswer(`${asked}: the answer is no JSON object`)
  return answerOf(body)
}

async function exchange(target: Target, wanted: Wanted, asked: string) {
  const url = urlOf(target.address, wanted)
  const init: RequestInit = {
    method: wanted.method,
    headers: headersOf(target, wanted),
    // Followed here, because `fetch` would carry the token from https to http.
    redirect: 'manual',
    signal: AbortSignal.timeout(target.timeoutMs),
    ...(wanted.body !== undefined && { body: JSON.stringify(wanted.body) }),
  }
  try {
    const first = await target.fetch(url.href, init)
    const next = redirection(url, first)
    const response = next === undefined ? first : await target.fetch(next.href, init)
    return { status: response.status, text: await response.text() }
  } catch (cause) {
    throw new NoAnswer(asked, cause)
  }
}

/** Where a standby node sends us; followed once. */
function redirection(from: URL, { status, headers }: Response): URL | undefined {
  const location = headers.get('location')
  if (!REDIRECTS.includes(status) || location === null) return undefined
  const next = new URL(location, from)
  return from.protocol === 'https:' && next.protocol !== 'https:' ? undefined : next
}

function urlOf(address: URL, { path, query = {} }: Wanted): URL {
  const url = new URL(address)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/${escaped(path)}`
  url.search = new URLSearchParams(query).toString()
  return url
}

/** A segment that a URL would resolve away is refused: it would name another path than the one that was meant. */
function escaped(path: string): string {
  const segments = path.replace(/^\/+/, '').split('/')
  if (segments.some((segment) => segment === '.' || segment === '..'))
    throw new InvalidArgument('path: `.` and `..` cannot be segments of it')
  return segments.map(encodeURIComponent).join('/')
}

function headersOf({ token, namespace }: Target, { method, body }: Wanted): Record<string, string> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  return {
    'X-Vault-Request': 'true',
    ...(token !== '' && { 'X-Vault-Token': token }),
    ...(namespace !== '' && { 'X-Vault-Namespace': namespace }),
    ...(body !== undefined && { 'Content-Type': type }),
  }
}
