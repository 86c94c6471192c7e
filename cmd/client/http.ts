/**
 * One exchange over HTTP: node:http itself, because `fetch` takes neither a certificate authority nor a client
 * certificate nor a unix socket without a further package.
 */
import { Agent as HttpAgent, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { getCACertificates } from 'node:tls'
import { systemClock } from '../../core/clock.ts'
import type { ProxySettings } from './proxy.ts'

/** How a TLS connection is made; the members are those of node:tls. */
export interface TlsSettings {
  readonly ca?: readonly Buffer[]
  readonly cert?: Buffer
  readonly key?: Buffer
  readonly servername?: string
  readonly rejectUnauthorized: boolean
}

export interface Exchange {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: string | undefined
  readonly tls: TlsSettings
  /** A unix socket to connect to instead of the URL's host. */
  readonly socketPath: string | undefined
  readonly proxy: ProxySettings | undefined
  /** From start to the last byte of the answer. */
  readonly timeoutMs: number
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** The exchange took longer than `timeoutMs`. */
class TimedOut extends Error {
  override readonly name = 'TimedOut'
  constructor() {
    super('context deadline exceeded (the server did not answer in time)')
  }
}

/** @throws what node:http reports (`code` says why), or TimedOut; nothing is tried again here */
export async function exchange(wanted: Exchange): Promise<Answer> {
  const signal = AbortSignal.timeout(wanted.timeoutMs)
  try {
    return await collect(await begin(wanted, signal))
  } catch (error) {
    throw signal.aborted ? new TimedOut() : error
  }
}

/** @returns the answer, of which only status and headers have come. @throws as `exchange` */
export async function openExchange(
  wanted: Exchange,
  interruption: AbortSignal,
): Promise<IncomingMessage> {
  const late = new AbortController()
  const cancel = systemClock.after(wanted.timeoutMs, () => late.abort())
  try {
    return await begin(wanted, AbortSignal.any([late.signal, interruption]))
  } catch (error) {
    throw late.signal.aborted ? new TimedOut() : error
  } finally {
    cancel()
  }
}

function begin(wanted: Exchange, signal: AbortSignal): Promise<IncomingMessage> {
  const { method, url, headers, body, tls, socketPath, proxy } = wanted
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }),
      },
      ...(socketPath === undefined ? {} : { socketPath }),
      ...nodeTls(tls, url),
      agent: proxy === undefined ? false : agentFor(url, proxy),
      signal,
    })
    outgoing.on('error', reject)
    outgoing.on('response', resolve)
    outgoing.end(body)
  })
}

export async function collect(incoming: IncomingMessage): Promise<Answer> {
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: await buffer(incoming),
  }
}

/** Node's own agents know how to ask a proxy. */
function agentFor(url: URL, proxyEnv: ProxySettings): HttpAgent {
  return url.protocol === 'https:' ? new HttpsAgent({ proxyEnv }) : new HttpAgent({ proxyEnv })
}

/**
 * Where no authority was named, those of the machine count beside Node's own: an operator who installs one expects it.
 */
function nodeTls({ ca, ...rest }: TlsSettings, url: URL): object {
  if (url.protocol !== 'https:') return {}
  return {
    ...rest,
    ca:
      ca === undefined
        ? [...getCACertificates('default'), ...getCACertificates('system')]
        : [...ca],
  }
}
