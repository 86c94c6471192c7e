/**
 * `npm run bench [-- OPERATION...]`: the rate, latencies and share of the bare node:http rate of each operation, file
 * audit on, storage SQLite. Prints a table and writes `bench.json` beside it where `-o FILE` says.
 */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort } from '../support/free-port.ts'
import { startServer } from '../support/server-process.ts'
import { runLoad, type LoadResult } from './load.ts'
import { OPERATIONS, prepare } from './operations.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '1,32,256' },
    output: { type: 'string', short: 'o' },
  },
})
const SECONDS = Number(values.seconds)
const CONNECTIONS = values.connections.split(',').map(Number)
const WARM_UP_SECONDS = 2
/** USER_HZ, which Linux shows to programs as 100 everywhere. */
const CLOCK_TICKS_PER_SECOND = 100

interface Row {
  readonly operation: string
  readonly connections: number
  readonly rate: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU time of the server's process for each operation; steadier than the rate on a busy machine. */
  readonly cpuMicroseconds: number
  readonly ofBare: number
  readonly mark: number | undefined
  readonly failures: number
}

const chosen = OPERATIONS.filter(
  ({ name }) => positionals.length === 0 || positionals.includes(name),
)
const bare = await startBare()
const server = await startServer({ storage: 'sqlite' })
const rows: Row[] = []
try {
  const prepared = await prepare(server.api, server.rootToken, server.dir)
  const bareRates = new Map<number, number>()
  await measure(bare, 32, WARM_UP_SECONDS, () => bareScript())
  for (const connections of CONNECTIONS) {
    const result = await measure(bare, connections, SECONDS, () => bareScript())
    bareRates.set(connections, result.rate)
    report('bare node:http', connections, result, result.rate, undefined)
  }
  for (const { name, script, mark } of chosen) {
    await measure(server, 32, WARM_UP_SECONDS, (i) => script(prepared, i))
    for (const connections of CONNECTIONS) {
      const result = await measure(server, connections, SECONDS, (i) => script(prepared, i))
      report(
        name,
        connections,
        result,
        bareRates.get(connections) ?? 0,
        connections === 32 ? mark : undefined,
      )
    }
  }
} finally {
  bare.stop()
  await server.stop()
}
if (values.output !== undefined) writeFileSync(values.output, `${JSON.stringify(rows, null, 2)}\n`)

function bareScript() {
  const bytes = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  return { next: () => bytes, keepsAnswers: false, requestsPerOperation: 1 }
}

interface Measured extends LoadResult {
  readonly cpuMicroseconds: number
}

async function measure(
  { port, pid }: { port: number; pid: number },
  connections: number,
  seconds: number,
  script: Parameters<typeof runLoad>[0]['script'],
): Promise<Measured> {
  const before = cpuSeconds(pid)
  const result = await runLoad({ port, connections, seconds, script })
  return { ...result, cpuMicroseconds: ((cpuSeconds(pid) - before) / result.operations) * 1e6 }
}

/** Of all threads of the process, user and system. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND
}

function report(
  operation: string,
  connections: number,
  result: Measured,
  bareRate: number,
  mark: number | undefined,
): void {
  const ofBare = result.rate / bareRate
  const { rate, p50Ms, p99Ms, failures, cpuMicroseconds } = result
  rows.push({ operation, connections, rate, p50Ms, p99Ms, cpuMicroseconds, ofBare, mark, failures })
  const against =
    mark === undefined ? '' : `  mark ${mark} ${ofBare >= mark ? 'reached' : 'MISSED'}`
  const failed = failures === 0 ? '' : `  ${failures} FAILED`
  process.stdout.write(
    `${operation.padEnd(20)} ${String(connections).padStart(4)} conn ${rate.toFixed(0).padStart(7)}/s` +
      `  p50 ${p50Ms.toFixed(2).padStart(7)} ms  p99 ${p99Ms.toFixed(2).padStart(7)} ms` +
      `  cpu ${cpuMicroseconds.toFixed(1).padStart(6)} us  ${ofBare.toFixed(3)} of bare${against}${failed}\n`,
  )
}

async function startBare(): Promise<{ port: number; pid: number; stop: () => void }> {
  const port = await freePort()
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'bare-server.ts'), String(port)],
    {
      stdio: 'inherit',
    },
  )
  for (let i = 0; i < 100; i++) {
    try {
      await fetch(`http://127.0.0.1:${port}/`)
      break
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  return { port, pid: child.pid ?? 0, stop: () => child.kill() }
}
