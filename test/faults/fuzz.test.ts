/**
 * A server that is sent what no client would send stays healthy: no fault of its own, no memory that is not given back.
 * `KEYHOLD_FUZZ_REQUESTS=100000` is the long run; `KEYHOLD_FUZZ_SEED` repeats one.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { RawClient, type RawAnswer } from '../../core/http/testing/raw-client.ts'
import { isJsonObject } from '../../core/json.ts'
import { declaredRoutes, type Declared } from '../advisories/routes.fixture.ts'
import { startCluster } from '../support/kit.ts'
import { memberOf } from '../support/json.ts'
import { startServer, type RunningServer } from '../support/server-process.ts'
import { fuzzRequests, type FuzzRequest } from './fuzz.fixture.ts'

const REQUESTS = Number(process.env['KEYHOLD_FUZZ_REQUESTS'] ?? 10_000)
const SEED = Number(process.env['KEYHOLD_FUZZ_SEED'] ?? 1)
const CONNECTIONS = 4
/** More than the longest answer takes. */
const PATIENCE_MS = 10_000
/** What the caches, which are bounded, may come to hold after the first quarter of the requests. */
const MAX_GROWTH_BYTES = 6 * 1024 * 1024
const SAMPLES = 20
/** Makes the server collect its garbage when it is told to. */
const COLLECTS_AT_SIGNAL =
  "--expose-gc --import=data:text/javascript,process.on('SIGUSR2',()=>globalThis.gc())"
const COLLECTION_MS = 100

/** What an engine answers where the system that it works in is not there, and what is told when it comes to undoing. */
const OF_ANOTHER_SYSTEM = {
  status: 502,
  told: /: undoing what a request had begun failed err="\w+Unavailable: /,
}

/** Not sent, each for its reason. */
const LEFT_OUT: readonly (readonly [RegExp, string])[] = [
  [/^sys\/seal$/, 'it ends the server, on purpose'],
  [/^sys\/monitor$/, 'its answer has no end'],
  [/^sys\/rotate(\/keyring|\/root)?$/, 'each adds a key to the keyring, which is kept for good'],
  [/^sys\/audit\/sample$/, 'a device that cannot write ends all requests with 500, on purpose'],
  [/^sys\/namespaces\/api-lock\/lock/, 'a locked namespace answers 503, on purpose'],
  [/^sys\/quotas\//, 'a rate limit would refuse the requests after it'],
  [/^auth\/token\/revoke-self$/, 'it would end the token of the others'],
]

test(`${REQUESTS} generated requests of the seed ${SEED} are no fault of the server, and leave nothing behind`, async () => {
  const plugins = mkdtempSync(join(tmpdir(), 'keyhold-fuzz-'))
  const server = await startServer({
    storage: 'sqlite',
    topLines: [`plugin_directory = "${plugins}"`],
    env: { NODE_OPTIONS: COLLECTS_AT_SIGNAL },
  })
  try {
    await auditTo(server, 'audit.log')
    const tokens = [server.rootToken, await limitedToken(server), 'hvs.bogus', 'hvb.AAAA', '']
    const routes = await routesOn(server)
    const requests = fuzzRequests(SEED, { routes, tokens })
    const faults: string[] = []
    const heaps: number[] = []
    for (let sample = 0; sample < SAMPLES; sample++) {
      const share = Math.ceil(REQUESTS / SAMPLES / CONNECTIONS)
      await Promise.all(
        Array.from({ length: CONNECTIONS }, () => send(server.port, requests, share, faults)),
      )
      heaps.push(await heapBytes(server))
    }
    expect(faults).toEqual([])
    expect(
      server
        .logs()
        .split('\n')
        .filter((line) => line.includes('[ERROR]') && !OF_ANOTHER_SYSTEM.told.test(line)),
    ).toEqual([])
    await expectHealthy(server)
    const [early = 0, late = Infinity] = [heaps[SAMPLES / 4], heaps.at(-1)]
    expect(late - early, heaps.join(' ')).toBeLessThan(MAX_GROWTH_BYTES)
  } finally {
    await server.stop()
    rmSync(plugins, { recursive: true })
  }
})

/** The declared paths, and on the server the mounts that they lie under. */
async function routesOn({ api, rootToken: token }: RunningServer): Promise<Declared[]> {
  const cluster = await startCluster({
    nodes: 1,
    debugging: { rawStorage: false, introspection: true },
  })
  const routes = await declaredRoutes(cluster)
  for (const family of ['mounts', 'auth']) {
    for (const [path, mount] of Object.entries((await cluster.read(`sys/${family}`)).data)) {
      if (!path.startsWith('sweep-')) continue
      const body = { type: memberOf(mount, 'type'), options: memberOf(mount, 'options') }
      const mounted = await api('POST', `sys/${family}/${path.slice(0, -1)}`, { token, body })
      expect(mounted.status).toBe(204)
    }
  }
  await cluster.close()
  return routes.filter(({ url }) => !LEFT_OUT.some(([pattern]) => pattern.test(url)))
}

async function auditTo({ api, dir, rootToken: token }: RunningServer, name: string): Promise<void> {
  const body = { type: 'file', options: { file_path: join(dir, name) } }
  expect((await api('POST', 'sys/audit/file', { token, body })).status).toBe(204)
}

async function limitedToken({ api, rootToken: token }: RunningServer): Promise<string> {
  const made = await api('POST', 'auth/token/create', { token, body: { policies: ['default'] } })
  return String(memberOf(made.json, 'auth', 'client_token'))
}

/** Sends so many over one connection, which is made anew where the server closes it. */
async function send(
  port: number,
  requests: Iterator<FuzzRequest, never>,
  count: number,
  faults: string[],
): Promise<void> {
  let client: RawClient | undefined
  for (let i = 0; i < count; i++) {
    const { value: request } = requests.next()
    client ??= await RawClient.open({ port })
    const answer = await answerTo(client, request)
    const said = faultOf(answer)
    if (said !== undefined)
      faults.push(`${said}: ${request.bytes.toString('latin1').slice(0, 2_000)}`)
    if (isOver(request, answer)) {
      client.socket.destroy()
      client = undefined
    }
  }
  client?.socket.destroy()
}

/** Whether the connection is of no more use. */
function isOver(
  { isHead, isCutShort }: FuzzRequest,
  answer: RawAnswer | 'closed' | 'silent',
): boolean {
  if (typeof answer === 'string' || isHead || isCutShort) return true
  return answer.headers.get('connection') === 'close' || answer.status < 200
}

/** @returns why there is none, where there is none */
async function answerTo(
  client: RawClient,
  { bytes, isHead }: FuzzRequest,
): Promise<RawAnswer | 'closed' | 'silent'> {
  const limit = new AbortController()
  const silent = pause(PATIENCE_MS, 'silent' as const, { signal: limit.signal })
  silent.catch(() => undefined)
  client.write(bytes)
  const answer = await Promise.race([client.next({ isHead }), silent])
  limit.abort()
  return answer ?? 'closed'
}

function faultOf(answer: RawAnswer | 'closed' | 'silent'): string | undefined {
  if (typeof answer === 'string')
    return `the server ${answer === 'silent' ? 'says nothing' : 'closed without an answer'}`
  const isOurs = answer.status >= 500 && answer.status !== OF_ANOTHER_SYSTEM.status
  return isOurs ? `${answer.status} ${answer.body}` : undefined
}

/** What lives: garbage is collected before. */
async function heapBytes({ api, pid, rootToken: token }: RunningServer): Promise<number> {
  process.kill(pid, 'SIGUSR2')
  await pause(COLLECTION_MS)
  const { json } = await api('GET', 'sys/metrics', { token })
  const gauges: unknown = memberOf(json, 'Gauges')
  const found = Array.isArray(gauges)
    ? gauges.find(
        (gauge: unknown) =>
          isJsonObject(gauge) && String(gauge['Name']).endsWith('memory_heap_bytes'),
      )
    : undefined
  return Number(memberOf(found, 'Value'))
}

async function expectHealthy({ api, rootToken: token }: RunningServer): Promise<void> {
  expect((await api('GET', 'sys/health')).status).toBe(200)
  expect((await api('POST', 'sys/mounts/afterwards', { token, body: { type: 'kv' } })).status).toBe(
    204,
  )
  expect((await api('POST', 'afterwards/a', { token, body: { a: 'b' } })).status).toBe(204)
  expect((await api('GET', 'afterwards/a', { token })).json['data']).toEqual({ a: 'b' })
  expect((await api('LIST', 'afterwards', { token })).status).toBe(200)
  expect((await api('POST', 'auth/token/create', { token })).status).toBe(200)
}
