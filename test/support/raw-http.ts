/**
 * One HTTP request as exactly these bytes. Node's own clients refuse verbs that they do not know (LIST, SCAN, HELP) and
 * normalise paths (`..`, `//`); a conformance test must send both as they are.
 */
import { connect } from 'node:net'

export interface RawRequest {
  readonly host: string
  readonly port: number
  readonly method: string
  /** With the query, as it shall stand in the request line. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface RawResponse {
  readonly status: number
  /** Names in lower case; values of a repeated header joined by `, `. */
  readonly headers: ReadonlyMap<string, string>
  readonly text: string
}

/** Longer than the longest answer that a server may take its time for. */
const SILENCE_LIMIT_MS = 60_000

export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse'
}

/** @returns undefined if the server closed the connection without an answer */
export async function sendRaw(request: RawRequest): Promise<RawResponse | undefined> {
  const bytes = await exchange(request)
  return bytes.length === 0 ? undefined : parseResponse(bytes, request.method)
}

function exchange(request: RawRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ host: request.host, port: request.port, allowHalfOpen: true })
    socket.setTimeout(SILENCE_LIMIT_MS, () => {
      socket.destroy(new MalformedResponse(`no answer within ${SILENCE_LIMIT_MS} ms`))
    })
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve(Buffer.concat(chunks)))
    socket.on('error', (error) => {
      // A server that refuses a body it has not read may reset the connection after its answer.
      if (chunks.length > 0) resolve(Buffer.concat(chunks))
      else reject(error)
    })
    socket.write(serialize(request))
  })
}

function serialize({ host, port, method, path, headers = {}, body }: RawRequest): Buffer {
  const all: Record<string, string> = { Host: `${host}:${port}`, Connection: 'close', ...headers }
  if (body !== undefined) all['Content-Length'] = String(Buffer.byteLength(body))
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`)
}

function parseResponse(bytes: Buffer, method: string): RawResponse {
  const end = bytes.indexOf('\r\n\r\n')
  const [statusLine = '', ...headerLines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1]
  if (end < 0 || status === undefined)
    throw new MalformedResponse('the answer is no HTTP/1.1 response')
  const headers = parseHeaders(headerLines)
  const rest = bytes.subarray(end + 4)
  const chunked = headers.get('transfer-encoding') === 'chunked'
  const body = method === 'HEAD' ? Buffer.alloc(0) : chunked ? dechunk(rest) : rest
  return { status: Number(status), headers, text: body.toString('utf8') }
}

function parseHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    const earlier = headers.get(name)
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`)
  }
  return headers
}

function dechunk(bytes: Buffer): Buffer {
  const chunks: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    if (lineEnd < 0 || Number.isNaN(size))
      throw new MalformedResponse('the answer ends within a chunk')
    if (size === 0) return Buffer.concat(chunks)
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}
