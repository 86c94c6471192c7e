/** That `docs/stored.md` has every kind of record. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

test('the page on what is stored has every kind of record, and no other', () => {
  const sources = globSync('{core,engines,auth}/**/*.ts', { cwd: root }).filter(
    (file) => !/\.(?:test|fixture|suite)\.ts$/.test(file),
  )
  const declared = sources.flatMap((file) => [
    ...readFileSync(join(root, file), 'utf8').matchAll(
      /\b(?:kind|secretKind)(?:<\w+>)?\(\s*'([^']+)'/g,
    ),
  ])
  const page = readFileSync(join(root, 'docs/stored.md'), 'utf8')
  const listed = page.matchAll(/^\| `[^`]+` \| `([a-z][a-z -]*)` \|/gm)

  // What no key leads to is told in a sentence, and where two engines share a kind it is listed twice.
  const expected = new Set(
    declared.map(([, name]) => name).filter((name) => name !== 'batch-token'),
  )
  expect(page).toContain('`batch-token`')
  expect([...new Set(Array.from(listed, ([, name]) => name))].toSorted()).toEqual(
    [...expected].toSorted(),
  )
})
