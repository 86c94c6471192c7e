import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Expectations } from './expectations.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keyhold-expectations-'))
  vi.stubEnv('UPDATE_EXPECTATIONS', '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(dir, { recursive: true })
})

function listing(reasons: Record<string, string>): Expectations {
  const file = join(dir, 'expectations.json')
  writeFileSync(file, JSON.stringify(reasons))
  return new Expectations(file)
}
const passed = (id: string) => ({ id, title: '', failures: [] })
const failed = (id: string) => ({ id, title: '', failures: ['differs'] })

test('a case that fails must be listed, one that passes must not', () => {
  const expectations = listing({ known: 'not in this release', fixed: 'not in this release' })
  expect(expectations.check([passed('fine'), failed('known')])).toEqual([])
  expect(expectations.check([failed('new')])).toEqual([expect.stringContaining('differs')])
  expect(expectations.check([passed('fixed')])).toEqual([
    expect.stringContaining('take it off the list'),
  ])
})

test('an entry without a reason, or of no case, is refused', () => {
  const expectations = listing({ bare: 'REASON MISSING', gone: 'not in this release' })
  expect(expectations.check([failed('bare')])).toEqual([
    expect.stringContaining('without a reason'),
  ])
  expect(expectations.finish(['bare'])).toEqual([expect.stringContaining('does not exist')])
})
