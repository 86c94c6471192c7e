/**
 * kill -9 at every step of giving, expiring and revoking a secret that lives in another system: afterwards the accounts
 * there are those of the leases here, none more and none fewer.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { leaseKey, leasePrefix, leaseRecords, type Lease } from '../../core/leases/record.ts'
import { listBelow } from '../../core/store/deep.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import { TestClock } from '../support/clock.ts'
import { accountsEngine, type AccountSystem } from '../support/accounts.ts'
import { startCluster, type Cluster } from '../support/kit.ts'
import { inStorage, keysBelow } from '../support/records.ts'

const VICTIM = new URL('effect-kill.victim.ts', import.meta.url).pathname
/** More steps than anything takes. */
const MOST_STEPS = 200
const INTERNAL = z.object({ name: z.string() })

interface Place {
  readonly path: string
  readonly accounts: string
  readonly key: string
  readonly token: string
}

test.each(['give', 'expire', 'revoke', 'prefix', 'unmount'])(
  'killed at each step of %s, nothing is left that nobody revokes',
  async (what) => {
    let steps = 0
    for (let dieAt = 1; dieAt <= MOST_STEPS; dieAt++) {
      const place = await newPlace()
      if (!(await isKilled(place, what, dieAt))) break
      steps = dieAt
      await expectNothingOrphaned(place)
    }
    // Two commits at least, and something in the other system.
    expect(steps).toBeGreaterThanOrEqual(6)
  },
)

async function newPlace(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'keyhold-effect-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'keyhold.db')
  const accounts = join(folder, 'accounts')
  mkdirSync(accounts)
  const storage = await openSqlite({ path })
  const cluster = await startCluster({
    nodes: 1,
    storage,
    plugins: [accountsEngine(inFolder(accounts))],
  })
  await cluster.write('sys/mounts/acc', { type: 'accounts' })
  const [key = ''] = cluster.unsealKeys
  const { rootToken: token } = cluster
  await cluster.close()
  await storage.close()
  return { path, accounts, key, token }
}

/** @returns false: it was done before it came to that step */
async function isKilled(place: Place, what: string, dieAt: number): Promise<boolean> {
  const { path, accounts, key, token } = place
  const args = [VICTIM, path, accounts, key, token, what, String(dieAt)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code, signal]: unknown[] = await once(child, 'exit')
  if (signal === 'SIGKILL') return true
  expect(code).toBe(0)
  return false
}

async function expectNothingOrphaned({ path, accounts, key }: Place): Promise<void> {
  const storage = await openSqlite({ path })
  const cluster = await startCluster({
    nodes: 1,
    bare: true,
    storage,
    // No node's clock is behind that of the one that died.
    clock: new TestClock(Date.UTC(2026, 0, 1, 2)),
    plugins: [accountsEngine(inFolder(accounts))],
  })
  await cluster.write('sys/unseal', { key }, { token: null })
  // Whatever has no lease yet was announced.
  const known = (await leases(cluster)).map(nameOf)
  const unknown = readdirSync(accounts).filter((name) => !known.includes(name))
  const announced = await keysBelow(cluster, 'intent/')
  expect(announced.length).toBeGreaterThanOrEqual(unknown.length)
  for (const pause of ['3m', '11m', '1m']) {
    cluster.clock.advance(pause)
    await cluster.nodes[0]?.runDuties()
  }
  const left = (await leases(cluster)).map(nameOf)
  expect(readdirSync(accounts).toSorted()).toEqual(left.toSorted())
  expect(await keysBelow(cluster, 'intent/')).toEqual([])
  cluster.clock.advance('800h')
  for (let i = 0; i < 2; i++) await cluster.nodes[0]?.runDuties()
  expect(readdirSync(accounts)).toEqual([])
  for (const folder of ['ns/root/lease/', 'lease-due/', 'token-lease/', 'mount-lease/', 'purge/']) {
    expect(await keysBelow(cluster, folder)).toEqual([])
  }
  expect(cluster.failures).toEqual([])
  await cluster.close()
  await storage.close()
}

function nameOf({ internal }: Lease): string {
  return INTERNAL.parse(internal).name
}

async function leases(cluster: Cluster): Promise<Lease[]> {
  return inStorage(cluster, async (root) => {
    const found: Lease[] = []
    for (const id of await listBelow(root, leasePrefix('root'), { limit: 1000 })) {
      const lease = await root.get(leaseRecords, leaseKey({ namespaceId: 'root', id }))
      if (lease !== undefined) found.push(lease)
    }
    return found
  })
}

/** Each account is a file. */
function inFolder(folder: string): AccountSystem {
  return {
    create: () => Promise.reject(new Error('no account is made here')),
    async remove(name) {
      rmSync(join(folder, name), { force: true })
      await Promise.resolve()
    },
  }
}
