/** That each advisory has its tests, by name, or a reason why it has none; and that no test names one which the list says has none. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { NEIGHBOURS, ROWS } from './rows.fixture.ts'

const root = join(import.meta.dirname, '../..')
const IDS = /^(?:CVE-\d{4}-\d+|HCSEC-\d{4}-\d+|GHSA(?:-[a-z0-9]{4}){3}|GH-\d+|Vault-[\d.]+)$/

/** Rows and ids that the title of a test of each file names. */
const named = new Map<string, ReadonlySet<string>>(
  globSync('{test,core,auth,engines,storage,cmd}/**/*.test.ts', { cwd: root })
    .filter((file) => !file.endsWith('rows.test.ts'))
    .map((file) => [file, namesIn(readFileSync(join(root, file), 'utf8'))]),
)

function namesIn(source: string): ReadonlySet<string> {
  const rows = [...source.matchAll(/\brows? ((?:\d+)(?:(?:, | and )\d+)*)(?=[ :,)])/g)]
  const numbers = rows.flatMap(([, list = '']) => list.split(/, | and /))
  const ids = source.match(/\b(?:CVE-\d{4}-\d+|GHSA(?:-[a-z0-9]{4}){3})\b/g) ?? []
  return new Set([...numbers, ...ids])
}

test('each row is there once, in its order, with the ids of its advisories', () => {
  expect(ROWS).toHaveLength(108)
  for (const { ids } of ROWS) for (const id of ids) expect(id).toMatch(IDS)
  const known = ROWS.flatMap(({ ids }) => ids).filter((id) => !id.startsWith('Vault-'))
  expect(known.filter((id, index) => known.indexOf(id) !== index)).toEqual([])
})

test('where it says that there is a test, there is one with its name', () => {
  const missing: string[] = []
  for (const [index, { tests, ids }] of ROWS.entries()) {
    if (typeof tests === 'string') continue
    expect(tests.length).toBeGreaterThan(0)
    for (const file of tests) {
      if (named.get(file)?.has(String(index + 1)) !== true) {
        missing.push(`row ${index + 1} (${ids[0]}): ${file}`)
      }
    }
  }
  for (const [id, tests] of Object.entries(NEIGHBOURS)) {
    if (typeof tests === 'string') continue
    for (const file of tests) if (named.get(file)?.has(id) !== true) missing.push(`${id}: ${file}`)
  }
  expect(missing).toEqual([])
})

test('where it says that there is none, it says why, and there is none', () => {
  const wrong: string[] = []
  for (const [index, { tests }] of ROWS.entries()) {
    if (typeof tests !== 'string') continue
    expect(tests).toMatch(/\w{2}/)
    for (const [file, names] of named) {
      if (names.has(String(index + 1))) wrong.push(`row ${index + 1}: ${file}`)
    }
  }
  expect(wrong).toEqual([])
})

test('a test that names a row is in the list', () => {
  const unknown: string[] = []
  for (const [file, names] of named) {
    for (const name of names) {
      if (!/^\d+$/.test(name)) continue
      const tests = ROWS[Number(name) - 1]?.tests
      if (tests === undefined || !tests.includes(file)) unknown.push(`row ${name}: ${file}`)
    }
  }
  expect(unknown).toEqual([])
})
