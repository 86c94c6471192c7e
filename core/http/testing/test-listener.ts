/**
 * Listeners for tests, closed by `closeListeners` (call it after each test).
 */
import type { ConnectionOptions } from 'node:tls'
import { systemClock, type Clock } from '../../clock.ts'
import { DEFAULT_LIMITS, openListener, type Listener, type ListenerConfig } from '../listener.ts'
import type { App, HttpRequest } from '../message.ts'
import { DEFAULT_CUSTOM_HEADERS } from '../response-headers.ts'
import { RawClient } from './raw-client.ts'

export interface TestListener {
  readonly listener: Listener
  readonly port: number
  /** What the listener reported as no client's doing. */
  readonly reported: unknown[]
  connect(secure?: ConnectionOptions): Promise<RawClient>
}

const LOOPBACK = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const

function listenerConfig(change: Partial<ListenerConfig> = {}): ListenerConfig {
  return {
    address: LOOPBACK,
    tls: undefined,
    forwardedFor: undefined,
    responseHeaders: DEFAULT_CUSTOM_HEADERS,
    limits: DEFAULT_LIMITS,
    viaHono: false,
    ...change,
  }
}

const opened: Listener[] = []
const clients: RawClient[] = []

export async function closeListeners(): Promise<void> {
  for (const client of clients.splice(0)) client.socket.destroy()
  await Promise.all(opened.splice(0).map((listener) => listener.stop(0)))
}

/** Answers with what it understood of the request. */
export const echo: App = (request: HttpRequest) =>
  Promise.resolve({
    status: 200,
    headers: {},
    body: JSON.stringify({
      method: request.method,
      path: request.path,
      query: Object.fromEntries(request.query),
      token: request.headers['x-vault-token'],
      body: request.body.length > 100 ? request.body.length : request.body.toString(),
      address: request.client.address,
      certificates: request.client.certificates?.length,
    }),
  })

export async function startListener(
  change: Partial<ListenerConfig> = {},
  app: App = echo,
  clock: Clock = systemClock,
): Promise<TestListener> {
  const reported: unknown[] = []
  const report = (error: unknown) => void reported.push(error)
  const listener = await openListener(listenerConfig(change), { app, clock, report })
  opened.push(listener)
  const port = Number(/:(\d+)$/.exec(listener.url)?.[1] ?? 0)
  const to = listener.url.startsWith('unix://')
    ? { path: listener.url.slice('unix://'.length) }
    : { port }
  const connect = async (secure?: ConnectionOptions) => {
    const client = await RawClient.open(to, secure)
    clients.push(client)
    return client
  }
  return { listener, port, reported, connect }
}
