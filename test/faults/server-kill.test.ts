/**
 * What was acknowledged survives: a server is killed with SIGKILL again and again while clients write to it, and after
 * each restart every write that it answered is there, whole.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startServer, type RunningServer } from '../support/server-process.ts'
import { systemRandom } from '../../core/random.ts'
import { memberOf } from '../support/json.ts'

/** The project promises 100 rounds; the suite runs fewer unless told. */
const ROUNDS = Number(process.env['KEYHOLD_KILL_ROUNDS'] ?? 8)
const WRITERS = 8
const LONGEST_ROUND_MS = 400

test(`no acknowledged write is lost in ${ROUNDS} rounds of kill -9`, async () => {
  const acknowledged = new Map<string, number>()
  let server = await startServer({ storage: 'sqlite' })
  const { dir, rootToken, unsealKeys } = server
  await server.api('POST', 'sys/mounts/secret', {
    token: rootToken,
    body: { type: 'kv', options: { version: '2' } },
  })
  for (let round = 0; round < ROUNDS; round++) {
    const running = server
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
      writeUntilGone(running, rootToken, `round-${round}/writer-${writer}`, acknowledged),
    )
    await pause((systemRandom.bytes(1).readUInt8() / 255) * LONGEST_ROUND_MS)
    await server.kill()
    await Promise.all(writers)
    server = await startServer({ storage: 'sqlite', dir, init: false })
    for (const key of unsealKeys) await server.api('POST', 'sys/unseal', { body: { key } })
    await expectAll(server, rootToken, acknowledged)
  }
  expect(acknowledged.size).toBeGreaterThan(ROUNDS)
  await server.stop({ keepDir: false })
})

/** Writes 1, 2, 3 … to one key until the server is gone; notes what was acknowledged. */
async function writeUntilGone(
  server: RunningServer,
  token: string,
  path: string,
  acknowledged: Map<string, number>,
): Promise<void> {
  for (let count = 1; ; count++) {
    try {
      const body = { data: { count } }
      const answer = await server.api('POST', `secret/data/${path}`, { token, body })
      if (answer.status !== 200) return
      acknowledged.set(path, count)
    } catch {
      return
    }
  }
}

/** A write that was under way when the server died may be there or not, but no more than one of each writer. */
async function expectAll(
  server: RunningServer,
  token: string,
  acknowledged: ReadonlyMap<string, number>,
): Promise<void> {
  for (const [path, count] of acknowledged) {
    const answer = await server.api('GET', `secret/data/${path}`, { token })
    const data = answer.json['data']
    expect(answer.status, path).toBe(200)
    const stored = countOf(data)
    expect(stored, path).toBeGreaterThanOrEqual(count)
    expect(stored, path).toBeLessThanOrEqual(count + 1)
  }
}

function countOf(data: unknown): number {
  const count = memberOf(data, 'data', 'count')
  expect(count).toBe(memberOf(data, 'metadata', 'version'))
  return Number(count)
}
