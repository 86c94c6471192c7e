/**
 * The victim of `effect-kill.test.ts`: a node over a SQLite file, whose engine makes accounts in a folder, does one thing and
 * is killed at its Nth step: before or after a commit, before or after an account is made or removed.
 *
 * Arguments: the file, the folder, the unseal key, the root token, what to do, at which step to die.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Storage } from '../../storage/contract.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import { accountsEngine, type AccountSystem } from '../support/accounts.ts'
import { startCluster, type Cluster } from '../support/kit.ts'

const [path = '', folder = '', key = '', token = '', what = '', dieAt = ''] = process.argv.slice(2)
let steps = -1

function step(): void {
  if (steps < 0) return
  steps++
  if (steps === Number(dieAt)) process.kill(process.pid, 'SIGKILL')
}

/** Each account is a file. */
const system: AccountSystem = {
  async create(name) {
    step()
    writeFileSync(join(folder, name), '')
    step()
    await Promise.resolve()
  },
  async remove(name) {
    step()
    if (existsSync(join(folder, name))) rmSync(join(folder, name))
    step()
    await Promise.resolve()
  },
}

function mortal(storage: Storage): Storage {
  return {
    get: (name) => storage.get(name),
    list: (prefix, options) => storage.list(prefix, options),
    watch: (since) => storage.watch(since),
    close: () => storage.close(),
    async commit(change) {
      step()
      const result = await storage.commit(change)
      step()
      return result
    },
  }
}

/** What may be interrupted; one account with a lease of an hour is there before. */
const DEEDS: Readonly<Record<string, (cluster: Cluster, leaseId: string) => Promise<unknown>>> = {
  give: (cluster) => cluster.read('acc/creds/new', { token }),
  async expire(cluster) {
    cluster.clock.advance('2h')
    await cluster.nodes[0]?.runDuties()
  },
  revoke: (cluster, leaseId) =>
    cluster.write('sys/leases/revoke', { lease_id: leaseId }, { token }),
  prefix: (cluster) => cluster.write('sys/leases/revoke-prefix/acc', {}, { token }),
  async unmount(cluster) {
    await cluster.remove('sys/mounts/acc', { token })
    for (let i = 0; i < 3; i++) await cluster.nodes[0]?.runDuties()
  },
}

const storage = mortal(await openSqlite({ path }))
const cluster = await startCluster({
  nodes: 1,
  bare: true,
  storage,
  plugins: [accountsEngine(system)],
})
await cluster.write('sys/unseal', { key }, { token: null })
const made = await cluster.read('acc/creds/old?ttl=1h', { token })
if (made.status !== 200) throw new Error(`the victim has no account: ${made.text}`)
// From here on its steps count.
steps = 0
await DEEDS[what]?.(cluster, String(made.json['lease_id']))
process.exit(0)
