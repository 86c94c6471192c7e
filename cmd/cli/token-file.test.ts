import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readTokenFile, writeTokenFile } from './token-file.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'keyhold-home-'))
})
afterEach(() => rmSync(home, { recursive: true }))

test('a token that was written is read again, and nothing else is left in the folder', () => {
  writeTokenFile(home, 'hvs.one')
  writeTokenFile(home, 'hvs.two')
  expect(readTokenFile(home)).toBe('hvs.two')
  expect(readdirSync(home)).toEqual(['.vault-token'])
})

test('only its user may read the file, even where an older one was open to all', () => {
  const path = join(home, '.vault-token')
  writeFileSync(path, 'old')
  chmodSync(path, 0o644)
  writeTokenFile(home, 'hvs.one')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('nobody who has not logged in has a token; a line end behind one does not belong to it', () => {
  expect(readTokenFile(home)).toBe('')
  expect(readTokenFile('/dev/null')).toBe('')
  writeFileSync(join(home, '.vault-token'), 'hvs.one\n')
  expect(readTokenFile(home)).toBe('hvs.one')
})

test('another file is used where one is named', () => {
  const path = join(home, 'own-token')
  writeTokenFile('/dev/null', 'hvs.one', path)
  expect(readTokenFile('/dev/null', path)).toBe('hvs.one')
  expect(readdirSync(home)).toEqual(['own-token'])
})
