/**
 * `node test/bench/inventory.ts`: what the inventory of a million tokens costs: the time of a page, without conditions, with
 * some that few or no tokens meet, and by their ends; walking over all of them; and the memory of the server.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '../../core/random.ts'
import { Transaction } from '../../core/store/transaction.ts'
import { View } from '../../core/store/view.ts'
import { issueServiceToken } from '../../core/tokens/issue.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import { memberOf } from '../support/json.ts'
import { startCluster } from '../support/kit.ts'
import { startServer, type RunningServer } from '../support/server-process.ts'

const TOKENS = Number(process.argv[2] ?? 1_000_000)
const PER_COMMIT = 250
const ROLES = 1000
const DAY_MS = 86_400_000
const PAGES = 40

const dir = mkdtempSync(join(tmpdir(), 'keyhold-inventory-'))
const first = await startServer({ storage: 'sqlite', dir })
const { rootToken: token, unsealKeys } = first
await first.stop({ keepDir: true })
await fill()
const server = await startServer({ storage: 'sqlite', dir, init: false })
for (const key of unsealKeys) await server.api('POST', 'sys/unseal', { body: { key } })
await server.api('GET', 'sys/health')
say('memory of the server before', `${residentMb(server).toFixed(0)} MB`)
for (const [what, query] of [
  ['no condition', ''],
  ['no condition, 1,000 a page', '&limit=1000'],
  ['a role that one in a thousand has', '&role=role-7'],
  ['a policy that none has', '&policies=none'],
  ['ending within a day, of a year', '&expires_before=24h'],
] as const) {
  await pages(what, query)
}
await walk('all, 1,000 a page', '&limit=1000')
await walk('of one role', '&role=role-7&limit=1000')
say('memory of the server after', `${residentMb(server).toFixed(0)} MB`)
await server.stop()
rmSync(dir, { recursive: true, force: true })

/** Beneath the server, in its own records. */
async function fill(): Promise<void> {
  const storage = await openSqlite({ path: join(dir, 'keyhold.db') })
  const cluster = await startCluster({ nodes: 1, bare: true, storage })
  for (const key of unsealKeys) await cluster.write('sys/unseal', { key }, { token: null })
  await cluster.read('auth/token/lookup-self', { token })
  const unsealed = cluster.nodes[0]?.unsealed
  if (unsealed === undefined) throw new Error('the node is sealed')
  const nowMs = Date.now()
  const common = { nowMs, random: systemRandom, batch: unsealed.batch }
  for (let i = 0; i < TOKENS; i += PER_COMMIT) {
    const transaction = new Transaction(unsealed.store)
    const root = new View(transaction, '')
    for (let n = i; n < i + PER_COMMIT; n++) await issueServiceToken({ root, ...common }, spec(n))
    await transaction.commit()
  }
  await cluster.close()
  await storage.close()
}

function spec(n: number) {
  const ttlSeconds = 3600 + Math.floor(((n % 365) * DAY_MS) / 1000)
  return {
    type: 'service',
    namespace: { id: 'root', path: '' },
    policies: ['default', `team-${n % 50}`],
    path: 'auth/token/create',
    displayName: 'token',
    meta: { purpose: 'bench' },
    parent: undefined,
    entityId: '',
    boundCidrs: [],
    numUses: 0,
    ttlSeconds,
    maxTtlSeconds: 0,
    explicitMaxTtlSeconds: 0,
    periodSeconds: 0,
    renewable: true,
    noDefaultPolicy: false,
    role: `role-${n % ROLES}`,
    internal: {},
    mount: { uuid: '', defaultTtlSeconds: ttlSeconds, maxTtlSeconds: 2 * ttlSeconds },
  } as const
}

/** Some, one after the other. */
async function pages(what: string, query: string): Promise<void> {
  const times: number[] = []
  let shown = 0
  let after = ''
  for (let page = 0; page < PAGES; page++) {
    const startedAt = performance.now()
    const answer = await ask(query, after)
    times.push(performance.now() - startedAt)
    shown += answer.shown
    after = answer.next
    if (after === '') break
  }
  times.sort((one, other) => one - other)
  const [median = 0, most = 0] = [times[Math.floor(times.length / 2)], times.at(-1)]
  say(
    `a page, ${what}`,
    `${median.toFixed(1)} ms, at most ${most.toFixed(1)}; ${shown} tokens on ${times.length}`,
  )
}

async function walk(what: string, query: string): Promise<void> {
  const startedAt = performance.now()
  let shown = 0
  let requests = 0
  let after = ''
  let mostMb = 0
  do {
    const answer = await ask(query, after)
    shown += answer.shown
    after = answer.next
    if (requests++ % 50 === 0) mostMb = Math.max(mostMb, residentMb(server))
  } while (after !== '')
  const seconds = (performance.now() - startedAt) / 1000
  say(
    `walking over ${what}`,
    `${seconds.toFixed(1)} s, ${requests} requests, ${shown} tokens, at most ${mostMb.toFixed(0)} MB`,
  )
}

async function ask(query: string, after: string): Promise<{ shown: number; next: string }> {
  const path = `auth/token/inventory?list=true${query}&after=${encodeURIComponent(after)}`
  const { status, json } = await server.api('GET', path, { token })
  if (status !== 200) throw new Error(`it answered ${status}`)
  const keys = memberOf(json, 'data', 'keys')
  const next = memberOf(json, 'data', 'next')
  return {
    shown: Array.isArray(keys) ? keys.length : 0,
    next: typeof next === 'string' ? next : '',
  }
}

function residentMb({ pid }: RunningServer): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

function say(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(52)} ${value}\n`)
}
