/**
 * `node test/bench/audit.ts`: what a chain of an audit file costs, and a `write_timeout`: kv reads with a plain file device and
 * with others, in turn, so that what else the machine does meets all of them. The mark is that a chain costs under 3 % of the rate.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startServer } from '../support/server-process.ts'
import { runLoad } from './load.ts'
import { OPERATIONS, prepare } from './operations.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '8' },
    connections: { type: 'string', default: '1,32,256' },
  },
})
const SECONDS = 2
/** USER_HZ, which Linux shows to programs as 100 everywhere. */
const CLOCK_TICKS_PER_SECOND = 100
const DEVICES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: {},
  chained: { chain: 'true' },
  thread: { write_timeout: '2s' },
  'chained thread': { chain: 'true', write_timeout: '2s' },
}

interface Measured {
  readonly rate: number
  /** CPU time of the server's process for each read, of all its threads. */
  readonly cpuUs: number
}

const server = await startServer({ storage: 'sqlite' })
try {
  const prepared = await prepare(server.api, server.rootToken, server.dir)
  await send('DELETE', 'sys/audit/file')
  const script = OPERATIONS.find(({ name }) => name === 'kv-read')?.script
  for (const connections of values.connections.split(',').map(Number)) {
    const load = { port: server.port, connections, seconds: SECONDS }
    const found = new Map(Object.keys(DEVICES).map((name) => [name, Array<Measured>()]))
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const [name, measured] of found) {
        const options = { file_path: `${server.dir}/${name}.log`, ...DEVICES[name] }
        await send('POST', 'sys/audit/file', { type: 'file', options })
        const one = await measure(() =>
          runLoad({ ...load, script: (i) => script?.(prepared, i) ?? fails() }),
        )
        if (round > 0) measured.push(one)
        await send('DELETE', 'sys/audit/file')
      }
    }
    for (const [name, measured] of found) {
      report(name, connections, measured, found.get('plain') ?? [])
    }
  }
} finally {
  await server.stop()
}

async function measure(run: () => ReturnType<typeof runLoad>): Promise<Measured> {
  const before = cpuSeconds(server.pid)
  const { rate, operations } = await run()
  return { rate, cpuUs: ((cpuSeconds(server.pid) - before) * 1e6) / operations }
}

function report(
  name: string,
  connections: number,
  measured: readonly Measured[],
  plain: readonly Measured[],
): void {
  const rate = median(measured.map((one) => one.rate))
  const cpuUs = median(measured.map((one) => one.cpuUs))
  const less = median(measured.map((one, round) => 1 - one.rate / (plain[round]?.rate ?? 0)))
  process.stdout.write(
    `${name.padEnd(16)} ${String(connections).padStart(4)} conn ${rate.toFixed(0).padStart(7)}/s` +
      `  cpu ${cpuUs.toFixed(1).padStart(6)} us  ${(less * 100).toFixed(1).padStart(6)} % less than plain\n`,
  )
}

function fails(): never {
  throw new Error('there is no operation kv-read')
}

async function send(method: string, path: string, body?: object): Promise<void> {
  const token = server.rootToken
  const { status } = await server.api(method, path, { token, ...(body && { body }) })
  if (status >= 300) throw new Error(`${method} ${path} answered ${status}`)
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND
}
