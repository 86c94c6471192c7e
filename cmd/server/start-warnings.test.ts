import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from './config.ts'
import { startWarnings } from './start-warnings.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function warnings(top: string): string[] {
  const file = join(folder, 's.hcl')
  writeFileSync(file, `storage "inmem" {}\n${top}\nlistener "tcp" {\n  tls_disable = true\n}\n`)
  return startWarnings(loadConfig([file]))
}

test('without audit_directory it says that audit files are refused, and what to write', () => {
  expect(warnings('')).toEqual([expect.stringContaining('audit_directory = "/var/log/keyhold"')])
})

test('with it there is nothing to say', () => {
  expect(warnings('audit_directory = "/var/log/keyhold"')).toEqual([])
})

test('a setting without effect is named', () => {
  expect(warnings('audit_directory = "/a"\nui = true')).toEqual([
    expect.stringMatching(/^a setting has no effect: ui/),
  ])
})
