/** What the server leaves on the disk: who may read it, and where it may lie. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openSqlite } from '../../storage/sqlite.ts'
import { startCluster } from '../support/kit.ts'

/** A directory of its own, and a umask that takes nothing away. */
function openDirectory(): string {
  const before = process.umask(0)
  const directory = mkdtempSync(join(tmpdir(), 'keyhold-files-'))
  onTestFinished(() => {
    process.umask(before)
    rmSync(directory, { recursive: true, force: true })
  })
  return directory
}

const modeOf = (file: string) => statSync(file).mode & 0o7777

async function audited(directory: string) {
  const cluster = await startCluster({ auditDirectory: directory })
  onTestFinished(() => cluster.close())
  const enable = (options: object, name = 'file') =>
    cluster.write(`sys/audit/${name}`, { type: 'file', options })
  return { cluster, enable }
}

test('row 104 (CVE-2021-38553): whatever the umask, the files of the storage are the owner’s alone', async () => {
  const directory = join(openDirectory(), 'made for us')
  const storage = await openSqlite({ path: join(directory, 'keyhold.db') })
  onTestFinished(() => storage.close())
  await storage.commit({
    expect: new Map(),
    put: new Map([['a', Buffer.from('b')]]),
    delete: new Set(),
  })
  const files = readdirSync(directory)
  expect(files.length).toBeGreaterThanOrEqual(2)
  for (const file of files) expect([file, modeOf(join(directory, file))]).toEqual([file, 0o600])
  expect(modeOf(directory)).toBe(0o700)
})

test('row 104: so is the audit log', async () => {
  const directory = openDirectory()
  const { cluster, enable } = await audited(directory)
  const file = join(directory, 'audit.log')
  expect((await enable({ file_path: file })).status).toBe(204)
  await cluster.read('auth/token/lookup-self')
  expect(modeOf(file)).toBe(0o600)
})

test('row 104: so are the file that a rotation leaves and the one that it begins', async () => {
  const directory = openDirectory()
  const { cluster, enable } = await audited(directory)
  const file = join(directory, 'audit.log')
  expect((await enable({ file_path: file, mode: '0000', rotate_bytes: '65536' })).status).toBe(204)
  const long = 'x'.repeat(100)
  while (readdirSync(directory).length < 2) await cluster.read(`cubbyhole/${`${long}/`.repeat(40)}`)
  for (const file of readdirSync(directory)) {
    expect([file, modeOf(join(directory, file))]).toEqual([file, 0o600])
  }
})

test('rows 72, 73: no option of a device reads a file or a variable of the server', async () => {
  const { cluster, enable } = await audited(openDirectory())
  for (const secret of ['file:///etc/passwd', 'FILE:///etc/passwd', 'env://PATH']) {
    for (const options of [
      { uri: secret },
      { uri: 'http://127.0.0.1:1', headers: JSON.stringify({ 'x-a': [secret] }) },
    ]) {
      const body = { type: 'http', options: { ...options, skip_test: 'true' } }
      const answer = await cluster.write('sys/audit/h', body)
      expect([secret, answer.status, answer.text.includes('root:')]).toEqual([secret, 400, false])
    }
    expect((await enable({ file_path: secret })).status).toBe(400)
  }
})

test('rows 72, 107 (CVE-2025-54997, OpenBao GH-1651): no mode makes an audit file more than a file that is read and written', async () => {
  const directory = openDirectory()
  const { cluster, enable } = await audited(directory)
  const modes = [
    '0600',
    '0640',
    '0644',
    '0666',
    '0777',
    '0755',
    '4755',
    '2755',
    '1777',
    '7777',
    '0111',
    '0001',
    '0',
    '600',
    '0o777',
    '01777',
    '17777',
    '-1',
    '0x1ff',
    '999',
    'rwx',
    ' 0777',
  ]
  for (const mode of modes) {
    const file = join(directory, `${encodeURIComponent(mode)}.log`)
    const { status } = await enable({ file_path: file, mode }, 'one')
    expect([mode, status === 204 || status === 400]).toEqual([mode, true])
    if (status !== 204) {
      expect([mode, existsSync(file)]).toEqual([mode, false])
      continue
    }
    await cluster.read('auth/token/lookup-self')
    expect([mode, modeOf(file) & 0o7111]).toEqual([mode, 0])
    expect(statSync(file).isFile()).toBe(true)
    expect((await cluster.remove('sys/audit/one')).status).toBe(204)
  }
})

test('rows 72, 73 (CVE-2025-6000, CVE-2026-5051): an audit file lies in its directory, by whatever option and spelling', async () => {
  const outer = openDirectory()
  const directory = join(outer, 'audit')
  const elsewhere = join(outer, 'elsewhere')
  for (const one of [directory, elsewhere]) mkdirSync(one)
  writeFileSync(join(elsewhere, 'plugin'), 'untouched')
  symlinkSync(elsewhere, join(directory, 'link'))
  symlinkSync(join(elsewhere, 'plugin'), join(directory, 'link.log'))
  const { cluster, enable } = await audited(directory)
  const targets = [
    join(elsewhere, 'plugin'),
    join(elsewhere, 'new.log'),
    `${directory}/../elsewhere/plugin`,
    `${directory}/./../elsewhere/new.log`,
    `${directory}/link/plugin`,
    `${directory}/link/new.log`,
    `${directory}/link.log`,
    `${directory}2/new.log`,
    'new.log',
    './new.log',
    '../elsewhere/plugin',
    '/etc/cron.d/keyhold',
    '/proc/self/mem',
    '/dev/null',
    directory,
    `${directory}/`,
    `${directory}/a\u0000b`,
    '',
    `file://${directory}/x.log`,
  ]
  for (const target of targets) {
    for (const option of ['file_path', 'path']) {
      const { status } = await enable({ [option]: target })
      expect([option, target, status]).toEqual([option, target, 400])
    }
    expect(
      (await enable({ file_path: join(directory, 'ok.log'), path: target }, 'both')).status,
    ).toBe(204)
    expect(readFileSync(join(elsewhere, 'plugin'), 'utf8')).toBe('untouched')
    await cluster.remove('sys/audit/both')
  }
  expect(readdirSync(elsewhere)).toEqual(['plugin'])
})

test('row 72: no audit line begins with a text of somebody’s choice', async () => {
  const directory = openDirectory()
  const { enable } = await audited(directory)
  const { status } = await enable({ file_path: join(directory, 'a.log'), prefix: '#!/bin/sh\n' })
  expect(status).toBe(400)
})
