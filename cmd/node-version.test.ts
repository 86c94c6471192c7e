import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { tooOld } from './node-version.ts'

test.each(['20.20.2', '23.11.1', '24.6.9', '8.0.0'])(
  'Node %s is refused, with what to do',
  (version) => {
    expect(tooOld(version)).toMatch(
      new RegExp(`this is Node ${version}, .* needs Node 24.7 or newer\nhint: `),
    )
  },
)

test.each(['24.7.0', '24.21.0', '26.10.0', '100.0.0'])('Node %s is taken', (version) => {
  expect(tooOld(version)).toBeUndefined()
})

test('the package asks for the same', () => {
  const text = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')
  const { engines } = z.object({ engines: z.object({ node: z.string() }) }).parse(JSON.parse(text))

  expect(tooOld(engines.node.replace('>=', ''))).toBeUndefined()
  expect(engines.node).toBe('>=24.7')
})
