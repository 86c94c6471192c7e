/**
 * kill -9: whatever was acknowledged is there afterwards, and no commit is there by half.
 * KEYHOLD_KILL_ROUNDS says how often (default 20).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { systemRandom } from '../../core/random.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import type { Storage } from '../../storage/contract.ts'

const ROUNDS = Number(process.env['KEYHOLD_KILL_ROUNDS'] ?? 20)
const WRITER = new URL('sqlite-kill.writer.ts', import.meta.url).pathname

test(`no acknowledged commit is lost and none is there by half, killed ${ROUNDS} times`, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keyhold-kill-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'keyhold.db')
  const acknowledged = new Map<string, number>()

  for (let round = 0; round < ROUNDS; round += 1) {
    await writeUntilKilled(path, acknowledged, 1 + (systemRandom.bytes(2).readUInt16LE() % 1500))
    await expectWhole(path, acknowledged)
  }
  expect(acknowledged.size).toBeGreaterThan(1)
})

/** Kills the writer once it has acknowledged so many commits, in the middle of whatever it does then. */
async function writeUntilKilled(
  path: string,
  acknowledged: Map<string, number>,
  commits: number,
): Promise<void> {
  const child = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let seen = 0
  for await (const line of createInterface(child.stdout)) {
    const [lane, count] = line.split(' ')
    // A line cut short by the kill was not read by anybody as an acknowledgement.
    if (lane === undefined || !line.endsWith(`${Number(count)}`)) continue
    acknowledged.set(lane, Math.max(acknowledged.get(lane) ?? 0, Number(count)))
    seen += 1
    if (seen === commits) child.kill('SIGKILL')
  }
  expect(await exited).toEqual([null, 'SIGKILL'])
}

async function expectWhole(path: string, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  const storage = await openSqlite({ path })
  for (const [lane, count] of acknowledged) {
    const left = await text(storage, `lane/${lane}/left`)
    expect(Number(left)).toBeGreaterThanOrEqual(count)
    expect(await text(storage, `lane/${lane}/right`)).toBe(Buffer.alloc(9_000, left).toString())
    expect(await storage.list(`lane/${lane}/log/`, { limit: 1_000_000 })).toHaveLength(Number(left))
  }
  await storage.close()
  const raw = new Database(path)
  expect(raw.pragma('integrity_check', { simple: true })).toBe('ok')
  raw.close()
}

async function text(storage: Storage, key: string): Promise<string> {
  return (await storage.get(key))?.value.toString() ?? 'absent'
}
