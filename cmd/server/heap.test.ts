import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** Replaces objects of a full cache over and over. Prints how large the heap of old objects got, in bytes. */
const CHURN = `
import { getHeapSpaceStatistics } from 'node:v8'
import { limitHeapGrowth } from ${JSON.stringify(new URL('heap.ts', import.meta.url))}
if (process.argv[1] === 'limited') limitHeapGrowth()
const old = () => getHeapSpaceStatistics().find((space) => space.space_name === 'old_space').space_used_size
const kept = Array.from({ length: 200_000 }, (_, i) => ({ i, text: [i] }))
gc()
let most = 0
for (let turn = 0; turn < 3000; turn++) {
  for (let i = turn * 2000; i < (turn + 1) * 2000; i++) kept[(i * 7919) % kept.length] = { i, text: [i] }
  most = Math.max(most, old())
  await new Promise(setImmediate)
}
console.log(most)
`

function mostBytes(growth: 'limited' | 'as it is'): number {
  const args = ['--expose-gc', '--input-type=module', '-e', CHURN, growth]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(stderr).toBe('')
  return Number(stdout)
}

test('a cache that turns over holds less garbage than V8 would let it', () => {
  expect(mostBytes('limited')).toBeLessThan(mostBytes('as it is') * 0.75)
})
