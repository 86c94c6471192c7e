import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { tarOf } from './tar.ts'

test('tar itself reads what is written: names, contents, modes and times', () => {
  const dir = mkdtempSync(join(tmpdir(), 'keyhold-tar-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const files = [
    { name: 'a/empty', content: '' },
    { name: 'a/ünder', content: 'é'.repeat(256) },
    { name: 'a/more.json', content: 'x'.repeat(70_000) },
  ]
  writeFileSync(join(dir, 'out.tar'), tarOf(files, Date.UTC(2026, 0, 2)))
  execFileSync('tar', ['-xf', 'out.tar'], { cwd: dir })
  for (const { name, content } of files) {
    expect(readFileSync(join(dir, name), 'utf8')).toBe(content)
    expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600)
    expect(statSync(join(dir, name)).mtimeMs).toBe(Date.UTC(2026, 0, 2))
  }
})

test('a name that does not fit is refused', () => {
  expect(() => tarOf([{ name: 'x'.repeat(101), content: '' }], 0)).toThrow(RangeError)
})
