/**
 * The victim of `sqlite-kill.test.ts`: lanes of counters, each commit moving one by one, until it is killed. A line
 * `LANE COUNT` on stdout says that this commit was acknowledged.
 */
import { openSqlite } from '../../storage/sqlite.ts'

const LANES = 16

const storage = await openSqlite({ path: process.argv[2] ?? '' })

async function count(lane: number): Promise<never> {
  const stored = await storage.get(`lane/${lane}/left`)
  let revision = stored?.revision ?? 0
  for (let next = Number(stored?.value.toString() ?? 0) + 1; ; next += 1) {
    const value = Buffer.from(`${next}`)
    const result = await storage.commit({
      expect: new Map([[`lane/${lane}/left`, revision]]),
      put: new Map([
        [`lane/${lane}/left`, value],
        [`lane/${lane}/log/${next}`, value],
        // Large enough to lie on pages of its own, so that half a commit would show.
        [`lane/${lane}/right`, Buffer.alloc(9_000, value)],
      ]),
      delete: new Set(next > 1 ? [`lane/${lane}/mark/${next - 1}`] : []),
    })
    if ('conflict' in result) throw new Error('a lane met a conflict')
    revision = result.revision
    await say(`${lane} ${next}\n`)
  }
}

/** Waits for a reader that is slow: a full pipe is no failure of the storage. */
function say(line: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(line, () => resolve()))
}

await Promise.all(Array.from({ length: LANES }, (_, lane) => count(lane)))
