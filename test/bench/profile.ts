/** `npm run profile -- OPERATION`: a flame graph of the server under the load of one operation, as an SVG file. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '../support/server-process.ts'
import { flameGraph, parseProfile } from './flame.ts'
import { runLoad } from './load.ts'
import { OPERATIONS, prepare } from './operations.ts'

const SECONDS = 8
const CONNECTIONS = 32

const operation = OPERATIONS.find(({ name }) => name === process.argv[2])
if (operation === undefined) {
  process.stderr.write(
    `Usage: npm run profile -- OPERATION\n\nhint: one of ${OPERATIONS.map(({ name }) => name).join(', ')}\n`,
  )
  process.exit(1)
}

const dir = mkdtempSync(join(tmpdir(), 'keyhold-profile-'))
const server = await startServer({
  storage: 'sqlite',
  env: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${dir} --cpu-prof-interval=200` },
})
const prepared = await prepare(server.api, server.rootToken, server.dir)
const { script } = operation
const load = { port: server.port, connections: CONNECTIONS, seconds: SECONDS }
const result = await runLoad({ ...load, script: (i) => script(prepared, i) })
await server.stop()
for (const name of readdirSync(dir)) {
  const profile = parseProfile(readFileSync(join(dir, name), 'utf8'))
  const file = join(dir, name.replace('.cpuprofile', '.svg'))
  writeFileSync(file, flameGraph(profile))
  process.stdout.write(`${file}\n`)
}
process.stdout.write(`${operation.name}: ${result.rate.toFixed(0)}/s while profiled\n`)
