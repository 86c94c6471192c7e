import { execSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { NoPlugin, readPlugin } from './files.ts'

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyhold-files-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

const sha256sum = (command: string, cwd: string) =>
  execSync(command, { cwd, encoding: 'utf8', shell: '/bin/bash' }).slice(0, 64)

test('a module has the digest that sha256sum prints', async () => {
  const folder = folderOf({ 'a.mjs': 'export default 1\n' })

  const { sha256, entry } = await readPlugin(join(folder, 'a.mjs'))

  expect(sha256).toBe(sha256sum('sha256sum a.mjs', folder))
  expect(entry).toBe('a.mjs')
})

test('a package has the digest that the command of the documentation prints', async () => {
  const folder = folderOf({
    'package.json': '{"main":"./src/a.js"}',
    'src/a.js': '1',
    'src/b/c.js': '2',
    'src-2/ä b.js': '3',
    'Z.md': '',
  })

  const { sha256, entry } = await readPlugin(folder)

  const command = String.raw`find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum`
  expect(sha256).toBe(sha256sum(command, folder))
  expect(entry).toBe('src/a.js')
})

test.each([
  ['its bytes', { 'src/a.js': 'other' }],
  ['a further file', { 'src/b.js': '' }],
])('with %s its digest changes', async (_what, more) => {
  const files = { 'package.json': '{"main":"src/a.js"}', 'src/a.js': '1' }

  const before = await readPlugin(folderOf(files))
  const after = await readPlugin(folderOf({ ...files, ...more }))

  expect(after.sha256).not.toBe(before.sha256)
})

test.each([
  ['{"exports":"./a.js","main":"b.js"}', 'a.js'],
  ['{"exports":{".":"./a.js"}}', 'a.js'],
  ['{"exports":{".":{"types":"./a.d.ts","import":"./a.js","default":"./b.js"}}}', 'a.js'],
  ['{"exports":{"default":"./b.js"}}', 'b.js'],
  ['{"main":"b.js"}', 'b.js'],
  ['{}', 'index.js'],
])('the entry of %s is %s', async (manifest, entry) => {
  const folder = folderOf({ 'package.json': manifest, 'a.js': '', 'b.js': '', 'index.js': '' })

  expect((await readPlugin(folder)).entry).toBe(entry)
})

test.each([
  ['a folder without a manifest', { 'a.js': '' }, /has no package\.json/],
  ['a manifest that is no JSON', { 'package.json': '{' }, /cannot be read/],
  ['an entry that is not there', { 'package.json': '{"main":"a.js"}' }, /has no file a\.js/],
  ['an entry outside', { 'package.json': '{"main":"../../a.js"}' }, /has no file/],
])('%s is no plugin', async (_what, files, text) => {
  const reading = readPlugin(folderOf(files))

  await expect(reading).rejects.toThrow(NoPlugin)
  await expect(reading).rejects.toThrow(text)
})

test('a file of another kind is no module', async () => {
  await expect(readPlugin(join(folderOf({ 'a.sh': '' }), 'a.sh'))).rejects.toThrow(/is no module/)
})

test('a folder that is too large, or has too many files, is no plugin', async () => {
  const large = { 'package.json': '{}', 'a.bin': 'x'.repeat(33 * 1024 * 1024) }
  const many = Object.fromEntries(Array.from({ length: 4097 }, (_, i) => [`${i}.js`, '']))

  await expect(readPlugin(folderOf(large))).rejects.toThrow(/at most 33554432 bytes/)
  await expect(readPlugin(folderOf(many))).rejects.toThrow(/more than 4096 files/)
})
