/**
 * `node test/bench/leases.ts`: what leases cost. Ten thousand that end in one second: how long until all are revoked, and the
 * rate of reads meanwhile. A million that do not end: start and memory with and without them.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { putLease } from '../../core/leases/record.ts'
import { systemRandom } from '../../core/random.ts'
import { Transaction } from '../../core/store/transaction.ts'
import { View } from '../../core/store/view.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import { accountsEngine } from '../support/accounts.ts'
import { apiClient, type Api } from '../support/api-client.ts'
import { freePort } from '../support/free-port.ts'
import { memberOf } from '../support/json.ts'
import { startCluster } from '../support/kit.ts'
import { runLoad } from './load.ts'
import type { Prepared } from './operation.ts'
import { OPERATIONS, prepare } from './operations.ts'

const LEASES = 10_000
const MANY = 1_000_000
const MANY_PER_COMMIT = 250
const CONNECTIONS = 32
/** Until all leases are made. */
const AHEAD_MS = 60_000

interface Server {
  readonly api: Api
  readonly port: number
  readonly process: ChildProcess
  accounts: number
}

const dir = mkdtempSync(join(tmpdir(), 'keyhold-leases-'))
const first = await start()
const init = await first.api('POST', 'sys/init', {
  body: { secret_shares: 1, secret_threshold: 1 },
})
const rootToken = String(init.json['root_token'])
const key = String(memberOf(init.json, 'keys', '0'))
await first.api('POST', 'sys/unseal', { body: { key } })
const prepared = await prepare(first.api, rootToken, dir)
await first.api('POST', 'sys/mounts/acc', { token: rootToken, body: { type: 'accounts' } })
await tenThousand(first)
await stop(first)
const without = await startAndRead()
await million()
const withThem = await startAndRead()
say('start to first read, without and with a million leases', `${without.ms} and ${withThem.ms} ms`)
say('memory, without and with them', `${without.mb} and ${withThem.mb} MB`)
rmSync(dir, { recursive: true, force: true })
process.exit(0)

async function tenThousand(server: Server): Promise<void> {
  const alone = await readRate(server.port, prepared, 5)
  const endMs = Date.now() + AHEAD_MS
  const bytes = () =>
    Buffer.from(
      `GET /v1/acc/creds/app?ttl=${Math.round((endMs - Date.now()) / 1000)} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Vault-Token: ${rootToken}\r\n\r\n`,
    )
  const script = () => ({ next: bytes, keepsAnswers: false, requestsPerOperation: 1 })
  const startedAt = performance.now()
  let made = 0
  while (made < LEASES) {
    const options = { port: server.port, connections: CONNECTIONS, seconds: 1, script }
    made += (await runLoad(options)).operations
  }
  const seconds = (performance.now() - startedAt) / 1000
  say('leases made a second, each with two commits', (made / seconds).toFixed(0))
  await pause(endMs - 1500 - Date.now())
  const meanwhile = readRate(server.port, prepared, 8)
  const before = server.accounts
  while (server.accounts === before) await pause(5)
  const beganAt = performance.now()
  while (server.accounts > 0) await pause(5)
  say(
    `${before} leases that end together are revoked within`,
    `${((performance.now() - beganAt) / 1000).toFixed(1)} s`,
  )
  const rate = await meanwhile
  say('rate of reads alone, and over 8 s around that', `${alone.toFixed(0)} and ${rate.toFixed(0)}`)
}

/** Beneath the server, in its own records. */
async function million(): Promise<void> {
  const storage = await openSqlite({ path: join(dir, 'keyhold.db') })
  const unused = { create: () => Promise.resolve(), remove: () => Promise.resolve() }
  const cluster = await startCluster({
    nodes: 1,
    bare: true,
    storage,
    plugins: [accountsEngine(unused)],
  })
  await cluster.write('sys/unseal', { key }, { token: null })
  const mounts = await cluster.read('sys/mounts', { token: rootToken })
  const mountUuid = String(memberOf(mounts.data, 'acc/', 'uuid'))
  const self = await cluster.read('auth/token/lookup-self', { token: prepared.token })
  const store = cluster.nodes[0]?.unsealed.store
  const expiresAtMs = Date.now() + 700 * 3_600_000
  for (let i = 0; store !== undefined && i < MANY; i += MANY_PER_COMMIT) {
    const transaction = new Transaction(store)
    const root = new View(transaction, '')
    for (let n = 0; n < MANY_PER_COMMIT; n++) {
      const lease = {
        id: `acc/creds/app/${systemRandom.base62(24)}`,
        namespaceId: 'root',
        path: 'acc/creds/app',
        mountUuid,
        type: 'account',
        internal: { name: `v-app-${i + n}` },
        token: String(self.data['accessor']),
        tokenNamespaceId: 'root',
        issuedAtMs: Date.now(),
        expiresAtMs: expiresAtMs + i,
        endsAtMs: null,
        lastRenewalAtMs: null,
        ttlSeconds: 0,
        maxTtlSeconds: 0,
        renewable: true,
        quotaId: null,
        revocation: null,
      }
      putLease(root, lease, undefined)
    }
    await transaction.commit()
  }
  await cluster.close()
  await storage.close()
}

async function startAndRead(): Promise<{ ms: string; mb: string }> {
  const at = performance.now()
  const server = await start()
  await server.api('POST', 'sys/unseal', { body: { key } })
  await server.api('GET', 'secret/data/app/1', { token: prepared.token })
  const ms = (performance.now() - at).toFixed(0)
  await pause(5000)
  const status = readFileSync(`/proc/${server.process.pid}/status`, 'utf8')
  const mb = (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024).toFixed(0)
  await stop(server)
  return { ms, mb }
}

async function start(): Promise<Server> {
  const port = await freePort()
  const program = join(import.meta.dirname, 'lease-server.ts')
  const child = spawn(process.execPath, [program, dir, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const server: Server = {
    api: apiClient(`http://127.0.0.1:${port}`),
    port,
    process: child,
    accounts: 0,
  }
  const lines = createInterface(child.stdout)
  const ready = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      server.accounts = Number(line)
      resolve()
    })
  })
  await ready
  return server
}

async function stop({ process: child }: Server): Promise<void> {
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
}

async function readRate(port: number, given: Prepared, seconds: number): Promise<number> {
  const read = OPERATIONS.find(({ name }) => name === 'kv-read')
  if (read === undefined) return 0
  const load = { port, connections: CONNECTIONS, script: (i: number) => read.script(given, i) }
  return (await runLoad({ ...load, seconds })).rate
}

function say(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(60)} ${value}\n`)
}
