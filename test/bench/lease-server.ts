/**
 * The server of `leases.ts`: with an engine whose accounts are made and removed in two milliseconds each. Prints how many
 * there are.
 *
 * Arguments: the folder, the port.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { devConfig } from '../../cmd/server/dev.ts'
import { openLog } from '../../cmd/server/log.ts'
import { RunningServer } from '../../cmd/server/running.ts'
import { accountsEngine } from '../support/accounts.ts'

const LATENCY_MS = 2
const PRINT_MS = 50

const [folder = '', port = ''] = process.argv.slice(2)
let accounts = 0
const system = {
  async create() {
    await pause(LATENCY_MS)
    accounts++
  },
  async remove() {
    await pause(LATENCY_MS)
    accounts--
  },
}
const config = devConfig(
  { kind: 'tcp', host: '127.0.0.1', port: Number(port) },
  { folder, files: undefined },
)
const log = openLog({ level: 'error', format: 'standard' })
await RunningServer.start({ ...config, plugins: [accountsEngine(system)] }, log)
setInterval(() => process.stdout.write(`${accounts}\n`), PRINT_MS)
