/**
 * `node test/bench/scale.ts`: what size costs. Start to ready, memory at rest, with 100,000 live tokens, making 1,500
 * mounts and the rate of reads beside them, and start and rate of reads with a million stored keys.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite } from '../../storage/sqlite.ts'
import { startDevServer, startServer, type RunningServer } from '../support/server-process.ts'
import { runLoad } from './load.ts'
import { OPERATIONS, prepare } from './operations.ts'

const TOKENS = 100_000
const MOUNTS = 1500
const KEYS = 1_000_000
const KEYS_PER_COMMIT = 500
const CONNECTIONS = 32

function say(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(52)} ${value}\n`)
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

const startedAt = performance.now()
const dev = await startDevServer()
await dev.api('GET', 'sys/health')
say('start to ready, dev mode', `${(performance.now() - startedAt).toFixed(0)} ms`)
await new Promise((resolve) => setTimeout(resolve, 3000))
say('resident at rest', `${residentMb(dev.pid).toFixed(0)} MB`)
await dev.stop()

await tokens()
await manyMounts()
await millionKeys()

async function tokens(): Promise<void> {
  const server = await startServer({ storage: 'sqlite' })
  const prepared = await prepare(server.api, server.rootToken, server.dir)
  const before = residentMb(server.pid)
  const body = JSON.stringify({ policies: ['bench'], ttl: '24h' })
  const bytes = Buffer.from(
    `POST /v1/auth/token/create-orphan HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Vault-Token: ${server.rootToken}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  let made = 0
  while (made < TOKENS) {
    const script = () => ({ next: () => bytes, keepsAnswers: false, requestsPerOperation: 1 })
    made += (await runLoad({ port: server.port, connections: CONNECTIONS, seconds: 5, script }))
      .operations
  }
  const after = residentMb(server.pid)
  say(
    `${made} live tokens add`,
    `${(after - before).toFixed(0)} MB (${before.toFixed(0)} to ${after.toFixed(0)})`,
  )
  void prepared
  await server.stop()
}

/** Made one after the other, as a script of an operator does. */
async function manyMounts(): Promise<void> {
  const server = await startServer({ storage: 'sqlite' })
  const prepared = await prepare(server.api, server.rootToken, server.dir)
  const few = await readRate(server, prepared)
  const at = performance.now()
  for (let i = 0; i < MOUNTS; i++) {
    await server.api('POST', `sys/mounts/many/${i}`, {
      token: server.rootToken,
      body: { type: 'kv' },
    })
  }
  say(`${MOUNTS} mounts take`, `${((performance.now() - at) / 1000).toFixed(1)} s`)
  const many = await readRate(server, prepared)
  say('kv reads a second, few mounts and many', `${few.toFixed(0)} and ${many.toFixed(0)}`)
  await server.stop()
}

/** The keys are written beneath the server: a million records in one folder of the storage. */
async function millionKeys(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'keyhold-scale-'))
  const first = await startServer({ storage: 'sqlite', dir })
  const prepared = await prepare(first.api, first.rootToken, dir)
  const empty = await readRate(first, prepared)
  await first.stop({ keepDir: true })
  const storage = await openSqlite({ path: join(dir, 'keyhold.db') })
  for (let i = 0; i < KEYS; i += KEYS_PER_COMMIT) {
    const put = new Map<string, Buffer>()
    for (let n = i; n < i + KEYS_PER_COMMIT; n++) {
      put.set(`mount/filler/meta/${String(n).padStart(8, '0')}`, Buffer.alloc(300, 1))
    }
    await storage.commit({ expect: new Map(), put, delete: new Set() })
  }
  await storage.close()
  const at = performance.now()
  const second = await startServer({ storage: 'sqlite', dir, init: false })
  await second.api('POST', 'sys/unseal', { body: { key: first.unsealKeys[0] } })
  await second.api('GET', 'secret/data/app/1', { token: first.rootToken })
  say(`start to first read with ${KEYS} more keys`, `${(performance.now() - at).toFixed(0)} ms`)
  const full = await readRate(second, prepared)
  say('rate of reads without and with them', `${empty.toFixed(0)}/s, ${full.toFixed(0)}/s`)
  await second.stop()
  rmSync(dir, { recursive: true, force: true })
}

async function readRate(
  server: RunningServer,
  prepared: Awaited<ReturnType<typeof prepare>>,
): Promise<number> {
  const read = OPERATIONS.find(({ name }) => name === 'kv-read')
  if (read === undefined) return 0
  const script = (i: number) => read.script(prepared, i)
  const load = { port: server.port, connections: CONNECTIONS, script }
  await runLoad({ ...load, seconds: 2 })
  return (await runLoad({ ...load, seconds: 5 })).rate
}
