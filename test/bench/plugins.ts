/**
 * What an external plugin costs: the same engine built in and outside, the same requests to both, in turn. Its mark is that
 * a call costs under 150 µs more; a read reads one record, a write reads and writes one.
 *
 * Run by hand: `node test/bench/plugins.ts`. Storage is in memory, so that no disk blurs the difference.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPlugin } from '../../core/external/files.ts'
import { apiClient } from '../support/api-client.ts'
import { freePort } from '../support/free-port.ts'
import { runLoad, type LoadResult } from './load.ts'

const MARK_US = 150
const ROUNDS = 6
const SECONDS = 2

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/plugins.md'), 'utf8')
const source = /^```ts\n(.*?)^```$/ms.exec(page)?.[1] ?? ''
const directory = mkdtempSync(join(tmpdir(), 'keyhold-bench-plugins-'))
mkdirSync(join(root, '.cache'), { recursive: true })
const own = mkdtempSync(join(root, '.cache/bench-'))
writeFileSync(join(own, 'engine.ts'), source)
const outside = source.replaceAll(/from '\.\.\/\.\.\/core\/[^']+'/g, "from 'keyhold/plugin'")
writeFileSync(join(directory, 'outside.ts'), outside)

const port = await freePort()
const server = spawn(
  process.execPath,
  [join(import.meta.dirname, 'plugin-server.ts'), String(port), join(own, 'engine.ts'), directory],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
try {
  await once(server.stdout, 'data')
  await mountBoth()
  for (const connections of [1, 32]) {
    await compare('read', 'GET', connections)
    await compare('write', 'POST', connections)
  }
} finally {
  server.kill()
  for (const folder of [own, directory]) rmSync(folder, { recursive: true, force: true })
}

async function mountBoth(): Promise<void> {
  const api = apiClient(`http://127.0.0.1:${port}`)
  const { sha256 } = await readPlugin(join(directory, 'outside.ts'))
  const send = async (path: string, body: object) => {
    const { status } = await api('POST', path, { token: 'root', body })
    if (status >= 300) throw new Error(`${path} answered ${status}`)
  }
  const command = { command: 'outside.ts', version: 'v1.0.0', sha256 }
  await send('sys/plugins/catalog/secret/outside', command)
  await send('sys/mounts/builtin', { type: 'tally' })
  await send('sys/mounts/external', { type: 'outside' })
  for (const mount of ['builtin', 'external']) {
    for (let i = 0; i < 32; i++) await send(`${mount}/k${i}`, {})
  }
}

/** In turn, so that what else the machine does meets both. */
async function compare(what: string, method: string, connections: number): Promise<void> {
  const times: Record<'builtin' | 'external', LoadResult[]> = { builtin: [], external: [] }
  for (let round = 0; round < ROUNDS; round++) {
    for (const mount of ['builtin', 'external'] as const) {
      const load = { port, connections, seconds: SECONDS }
      const result = await runLoad({ ...load, script: (i) => always(method, `${mount}/k${i}`) })
      if (result.failures > 0) throw new Error(`${result.failures} requests failed`)
      if (round > 0) times[mount].push(result)
    }
  }
  const costUs = (mount: 'builtin' | 'external') => {
    const sorted = times[mount]
      .map(({ p50Ms, rate }) => (connections === 1 ? p50Ms * 1e3 : 1e6 / rate))
      .sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? 0
  }
  const [builtin, external] = [costUs('builtin'), costUs('external')]
  const more = external - builtin
  process.stdout.write(
    `${what} at ${connections} connections: built in ${builtin.toFixed(0)} µs, external ${external.toFixed(0)} µs a request: ${more.toFixed(0)} µs more (${more < MARK_US ? 'within' : 'beyond'} the mark)\n`,
  )
}

function always(method: string, path: string) {
  const lines = [`${method} /v1/${path} HTTP/1.1`, 'Host: 127.0.0.1', 'X-Vault-Token: root']
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
  return { next: () => bytes, keepsAnswers: false, requestsPerOperation: 1 }
}
