/** `keyhold encrypt` and `decrypt` in pipes, with bytes that are no text, in memory that does not grow with them. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serverCommand, startDevServer, type RunningServer } from '../support/server-process.ts'
import { start, testFolder } from './keyhold-process.ts'

const MIB = 1_048_576
/** The mark for a file of any size; some 65 MiB are the program itself. */
const MEMORY_MARK_MIB = 150

let server: RunningServer
let env: Record<string, string>

beforeAll(async () => {
  server = await startDevServer()
  env = { VAULT_ADDR: server.address, VAULT_TOKEN: server.rootToken }
  const token = server.rootToken
  await server.api('POST', 'sys/mounts/transit', { token, body: { type: 'transit' } })
  await server.api('POST', 'transit/keys/backup', { token, body: {} })
})

afterAll(() => server.stop())

test('what goes through both in a pipe comes out as it went in', async () => {
  const file = join(testFolder(), 'plain')
  const plaintext = Buffer.from(Uint8Array.from({ length: 3 * MIB + 7 }, (_, at) => at % 253))
  writeFileSync(file, plaintext)

  expect(await shell('"$@" encrypt -key=backup - < "$FILE" | "$@" decrypt -', file)).toBe(
    createHash('sha256').update(plaintext).digest('hex'),
  )
})

test('300 MiB take no more memory than the mark, from a file and from a pipe', async () => {
  const folder = testFolder()
  const file = join(folder, 'plain')
  const sealed = join(folder, 'sealed')
  writeFileSync(file, '')
  truncateSync(file, 300 * MIB)

  for (const args of [
    ['encrypt', '-key=backup', `-out=${sealed}`, file],
    ['encrypt', '-key=backup', `-out=${sealed}`, '-'],
    ['decrypt', `-out=${join(folder, 'opened')}`, sealed],
  ]) {
    const piped = ['-c', 'exec "$@" < <(cat "$FILE")', 'bash', ...serverCommand()]
    const command = start(args, { env: { ...env, FILE: file }, command: ['bash', ...piped] })
    const peak = watchMemory(command.pid)
    expect(await command.exited).toBe(0)
    expect(peak()).toBeGreaterThan(0)
    expect(peak()).toBeLessThan(MEMORY_MARK_MIB)
  }
})

/** @returns the SHA-256 of what the command line printed */
async function shell(line: string, file: string): Promise<string> {
  const child = spawn('sh', ['-ec', line, 'sh', ...serverCommand()], {
    env: { ...process.env, ...env, FILE: file },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const hash = createHash('sha256')
  child.stdout.on('data', (chunk: Buffer) => hash.update(chunk))
  await once(child, 'close')
  return hash.digest('hex')
}

/** The most memory that was seen of a process so far, in MiB. */
function watchMemory(pid: number): () => number {
  let peak = 0
  const look = (): void => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      // One that has ended and was not waited for yet has no memory any more.
      const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
      peak = Math.max(peak, Number(kibibytes ?? 0) / 1024)
    } catch {
      clearInterval(timer) // it is gone
    }
  }
  const timer = setInterval(look, 5)
  return () => {
    clearInterval(timer)
    return peak
  }
}
