import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openSqlite } from '../../storage/sqlite.ts'
import { startServer } from '../../test/support/server-process.ts'
import { programNamed } from './program.ts'
import { runCommandLine } from './run.ts'
import { fakeTerminal } from './terminal.fixture.ts'

async function run(words: readonly string[], interruption?: AbortSignal) {
  const terminal = fakeTerminal({ ...(interruption && { interruption }) })
  const exitCode = await runCommandLine(words, terminal, programNamed('keyhold'))
  return { exitCode, ...terminal.written }
}

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'keyhold-migrate-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function migrate(source: string, destination: string, more = '') {
  const file = join(folder(), 'migrate.hcl')
  const block = (name: string, path: string) => `${name} "sqlite" { path = "${path}" }\n`
  writeFileSync(
    file,
    block('storage_source', source) + block('storage_destination', destination) + more,
  )
  return (interruption?: AbortSignal) =>
    run(['operator', 'migrate', `-config=${file}`], interruption)
}

test('a server goes on with the copy, unsealed by the same shares; while one runs, nothing is copied', async () => {
  const first = await startServer({ storage: 'sqlite', dir: folder() })
  const token = first.rootToken
  await first.api('POST', 'sys/mounts/secret', { token, body: { type: 'kv' } })
  await first.api('POST', 'secret/a', { token, body: { b: 'c' } })
  const to = folder()
  const copy = migrate(join(first.dir, 'keyhold.db'), join(to, 'keyhold.db'))
  expect(await copy()).toMatchObject({
    exitCode: 2,
    err: expect.stringMatching('is in use: stop the\\s+server') as unknown,
  })
  await first.stop({ keepDir: true })

  const { exitCode, out } = await copy()
  expect([exitCode, out]).toEqual([0, expect.stringMatching(/^Success! All of the keys have been/)])

  const second = await startServer({ storage: 'sqlite', dir: to, init: false })
  onTestFinished(() => second.stop())
  for (const key of first.unsealKeys) await second.api('POST', 'sys/unseal', { body: { key } })
  expect((await second.api('GET', 'secret/a', { token })).json['data']).toEqual({ b: 'c' })
})

test('interrupted, it says so, and no server starts on half a copy; the next run goes on', async () => {
  const [from, to] = [join(folder(), 'a.db'), join(folder(), 'keyhold.db')]
  const storage = await openSqlite({ path: from })
  for (let i = 0; i < 3; i++) {
    const put = new Map(Array.from({ length: 400 }, (_, n) => [`k/${i}/${n}`, Buffer.from('v')]))
    await storage.commit({ expect: new Map(), put, delete: new Set() })
  }
  await storage.close()
  const copy = migrate(from, to)
  expect(await copy(AbortSignal.abort())).toMatchObject({
    exitCode: 0,
    out: expect.stringContaining('run it again') as unknown,
  })
  const half = await openSqlite({ path: to })
  const put = new Map([
    ['copy-under-way', Buffer.from('k/0/0')],
    ['k/0/0', Buffer.from('v')],
  ])
  await half.commit({ expect: new Map(), put, delete: new Set() })
  await half.close()
  await expect(
    startServer({ storage: 'sqlite', dir: join(to, '..'), init: false }),
  ).rejects.toThrow('is a copy that is not whole')
  const { exitCode, out } = await copy()
  expect([exitCode, out]).toEqual([
    0,
    expect.stringContaining('1199 records, after those of an earlier run'),
  ])
})

test.each([
  ['', 'Must specify exactly one config path'],
  ['-config=/not/there', 'does not exist'],
])('operator migrate %s is refused', async (words, text) => {
  const ran = await run(['operator', 'migrate', words].filter((word) => word !== ''))
  expect([ran.exitCode, ran.err.replaceAll(/\s+/g, ' ')]).toEqual([
    1,
    expect.stringContaining(text),
  ])
})

test('a configuration that is none is refused with its place', async () => {
  const dir = folder()
  const [a, b] = [join(dir, 'a.db'), join(dir, 'b.db')]
  const flat = async (ran: Promise<{ exitCode: number; err: string }>) => {
    const { exitCode, err } = await ran
    return `${exitCode} ${err.replaceAll(/\s+/g, ' ')}`
  }
  expect(await flat(migrate(a, a)())).toMatch(/^1 .* are the same/)
  expect(await flat(migrate(a, b, 'storage_source "inmem" {}')())).toMatch(/^1 .* must be one/)
  expect(await flat(migrate(a, b, 'storage "inmem" {}')())).toMatch(/^1 .*:3: unknown setting/)
  expect(await flat(migrate(a, b)())).toMatch(/^2 .*the source .* does not exist/)
})

test.each(['', 'join', 'list-peers', 'snapshot save a', 'autopilot state', 'anything'])(
  'operator raft %s says what to do instead',
  async (words) => {
    const { exitCode, err } = await run(['operator', 'raft', ...words.split(' ')])
    expect([exitCode, err]).toEqual([1, expect.stringMatching(/^There is no raft here: \S/)])
  },
)
