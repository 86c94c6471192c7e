/**
 * The storage of a real server gone wrong: damaged rows, foreign files, full disks, and two servers over one file.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import {
  initialize,
  startConfigured,
  stop,
  unseal,
  type ConfiguredServer,
  type Keys,
} from './configured-server.ts'
import { run, testFolder } from './keyhold-process.ts'
import { memberOf } from '../support/json.ts'

/** Works on the file of a server that is stopped. */
function edit<T>(dir: string, change: (database: Database.Database) => T): T {
  const database = new Database(join(dir, 'keyhold.db'))
  try {
    return change(database)
  } finally {
    database.close()
  }
}

interface Row {
  readonly key: string
  readonly value: Buffer
}

function rowOf(dir: string, keyEnd: string): Row {
  return edit(dir, (database) => {
    const found = database
      .prepare<[string], Row>('SELECT key, value FROM records WHERE key LIKE ?')
      .get(`%${keyEnd}`)
    if (found === undefined) throw new Error(`no record ends in ${keyEnd}`)
    return found
  })
}

function put(dir: string, { key, value }: Row): void {
  edit(dir, (database) =>
    database.prepare('UPDATE records SET value = ? WHERE key = ?').run(value, key),
  )
}

function altered({ key, value }: Row): Row {
  const copy = Buffer.from(value)
  copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1
  return { key, value: copy }
}

function secretOf(json: JsonObject): unknown {
  return memberOf(json, 'data', 'data', 'value')
}

async function write({ api }: ConfiguredServer, token: string, name: string): Promise<number> {
  const body = { data: { value: name } }
  return (await api('POST', `secret/data/${name}`, { token, body })).status
}

describe('a damaged record', () => {
  /** A server with the secrets a, b and c, stopped. */
  async function stopped(): Promise<Keys & { dir: string }> {
    const server = await startConfigured()
    const keys = await initialize(server)
    for (const name of ['a', 'b', 'c']) await write(server, keys.rootToken, name)
    await stop(server)
    return { ...keys, dir: server.dir }
  }

  async function started({ dir, ...keys }: Keys & { dir: string }): Promise<ConfiguredServer> {
    const server = await startConfigured({ dir })
    await unseal(server, keys)
    return server
  }

  test.each<[how: string, damage: (dir: string) => void]>([
    ['altered by one bit', (dir) => put(dir, altered(rowOf(dir, '/keys/a')))],
    [
      'cut short',
      (dir) => {
        const { key, value } = rowOf(dir, '/keys/a')
        put(dir, { key, value: value.subarray(0, value.length - 7) })
      },
    ],
    ['emptied', (dir) => put(dir, { key: rowOf(dir, '/keys/a').key, value: Buffer.alloc(0) })],
    [
      'replaced by another one',
      (dir) => put(dir, { key: rowOf(dir, '/keys/a').key, value: rowOf(dir, '/keys/b').value }),
    ],
    [
      'turned into text',
      (dir) => put(dir, { key: rowOf(dir, '/keys/a').key, value: Buffer.from('{"x":1}') }),
    ],
  ])('%s: that one alone is refused, by its name; put back, it is whole', async (_how, damage) => {
    const before = await stopped()
    const { dir, rootToken: token } = before
    const good = rowOf(dir, '/keys/a')
    damage(dir)

    const server = await started(before)
    const refused = await server.api('GET', 'secret/data/a', { token })
    expect(refused.status).toBe(500)
    expect(refused.json['errors']).toEqual([
      `the stored record "${good.key}" is damaged or was altered; restore it from a backup`,
    ])
    expect(await write(server, token, 'a')).toBe(500)
    await server.process.heard(/\[ERROR\] .*the stored record .*keys\/a/)
    for (const name of ['b', 'c']) {
      const read = await server.api('GET', `secret/data/${name}`, { token })
      expect(secretOf(read.json)).toBe(name)
    }
    const listed = await server.api('LIST', 'secret/metadata', { token })
    expect(listed.json['data']).toMatchObject({ keys: ['a', 'b', 'c'] })
    expect(await write(server, token, 'd')).toBe(200)
    await stop(server)

    put(dir, good)
    const again = await started(before)
    const read = await again.api('GET', 'secret/data/a', { token })
    expect(secretOf(read.json)).toBe('a')
  })

  test('a damaged token is refused, others work', async () => {
    const server = await startConfigured()
    const { rootToken, shares } = await initialize(server)
    const made = await server.api('POST', 'auth/token/create', { token: rootToken, body: {} })
    const token = memberOf(made.json, 'auth', 'client_token')
    const accessor = memberOf(made.json, 'auth', 'accessor')
    await stop(server)
    const stored = rowOf(server.dir, `ns/root/token/${String(accessor)}`)
    put(server.dir, altered(stored))

    const again = await started({ dir: server.dir, rootToken, shares })
    const refused = await again.api('GET', 'auth/token/lookup-self', { token: String(token) })
    expect(refused.status).toBe(500)
    expect(refused.text).toMatch(/the stored record .*ns\/root\/token\/.* is damaged/)
    const works = await again.api('GET', 'auth/token/lookup-self', { token: rootToken })
    expect(works.status).toBe(200)
  })

  test('a damaged keyring: the server stays sealed and names it', async () => {
    const before = await stopped()
    const good = rowOf(before.dir, 'core/keyring')
    put(before.dir, altered(good))
    const server = await started(before)
    const env = { VAULT_ADDR: server.address, VAULT_MAX_RETRIES: '0' }
    const unsealing = await run(['operator', 'unseal'], { env, input: `${before.shares[0]}\n` })
    expect(unsealing.code).toBe(2)
    expect(unsealing.err).toContain('the stored record "core/keyring" is damaged or was altered')
    expect((await server.api('GET', 'sys/health')).status).toBe(503)
    await stop(server)

    put(before.dir, good)
    const again = await started(before)
    expect((await again.api('GET', 'sys/health')).status).toBe(200)
  })

  test('its error fills a log that nobody reads, and the server goes on and ends', async () => {
    const before = await stopped()
    const { dir, rootToken: token } = before
    put(dir, altered(rowOf(dir, '/keys/a')))
    const server = await started(before)
    server.process.pause()
    for (let round = 0; round < 60; round++) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => server.api('GET', 'secret/data/a', { token })),
      )
      for (const { status } of answers) expect(status).toBe(500)
    }
    expect((await server.api('GET', 'secret/data/b', { token })).status).toBe(200)
    server.process.signal('SIGTERM')
    expect(await server.process.exited).toBe(0)
  })
})

describe('a storage that cannot be used ends the start with what to do', () => {
  async function refusedStart(path: string): Promise<string> {
    const dir = testFolder()
    const file = join(dir, 'server.hcl')
    writeFileSync(
      file,
      `storage "sqlite" { path = "${path}" }\nlistener "tcp" { address = "127.0.0.1:0", tls_disable = true }\n`,
    )
    const ended = await run(['server', `-config=${file}`])
    expect(ended.code).toBe(1)
    expect(ended.err).toMatch(/^Error starting the server: /)
    return ended.err
  }

  async function ours(): Promise<string> {
    const server = await startConfigured()
    await stop(server)
    return server.dir
  }

  test('a file that is no database', async () => {
    const path = join(testFolder(), 'notes.txt')
    writeFileSync(path, 'these are notes, many of them, and no database\n'.repeat(100))
    expect(await refusedStart(path)).toContain('is not a database; it was not touched')
  })

  test('a database of another program', async () => {
    const path = join(testFolder(), 'other.db')
    const other = new Database(path)
    other.exec('CREATE TABLE theirs (a)')
    other.close()
    expect(await refusedStart(path)).toContain('is a database of another program')
  })

  test('a file of a newer release', async () => {
    const dir = await ours()
    edit(dir, (database) => database.pragma('user_version = 99'))
    expect(await refusedStart(join(dir, 'keyhold.db'))).toContain(
      'was written by a newer release (schema 99, this one knows 1). Start that release',
    )
  })

  test('a file that may not be written', async ({ skip }) => {
    const dir = await ours()
    if (process.getuid?.() === 0) {
      // Modes do not bind root; a mount that is read-only does.
      const script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"'
      const mounted = spawnSync('sh', ['-c', script, dir])
      onTestFinished(() => void spawnSync('umount', [dir]))
      if (mounted.status !== 0) skip('root may not mount here')
    } else chmodSync(join(dir, 'keyhold.db'), 0o400)
    expect(await refusedStart(join(dir, 'keyhold.db'))).toMatch(/read-only|write access/)
  })

  test('a file that another program holds for itself', async () => {
    const dir = await ours()
    const other = new Database(join(dir, 'keyhold.db'))
    onTestFinished(() => void other.close())
    other.pragma('locking_mode = EXCLUSIVE')
    other.exec("INSERT INTO changes VALUES (1000, 'a')")
    const text = await refusedStart(join(dir, 'keyhold.db'))
    expect(text).toContain('is locked by another program (a backup, a shell?)')
  })
})

test('another program that locks the file: writes get 503, reads go on, then all does', async () => {
  const server = await startConfigured()
  const { rootToken: token } = await initialize(server)
  await write(server, token, 'a')
  const other = new Database(join(server.dir, 'keyhold.db'))
  other.exec('BEGIN IMMEDIATE')

  const refused = await server.api('POST', 'secret/data/b', { token, body: { data: {} } })
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(refused.text).toContain(
    'the storage cannot serve this request now; the server log says why',
  )
  await server.process.heard(/the storage is locked by another program/)
  expect((await server.api('GET', 'secret/data/a', { token })).status).toBe(200)

  other.exec('ROLLBACK')
  other.close()
  expect(await write(server, token, 'b')).toBe(200)
})

test('a full disk: writes get 503 and reads go on; with room again all does, and nothing is lost', async ({
  skip,
}) => {
  const dir = testFolder()
  const small = join(dir, 'small')
  mkdirSync(small)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small])
  if (mounted.status !== 0) skip('only root may mount a small disk')
  onTestFinished(() => void spawnSync('umount', ['-l', small]))
  const server = await startConfigured({ dir: small })
  const keys = await initialize(server)
  const token = keys.rootToken
  const big = (name: string) =>
    server.api('POST', `secret/data/${name}`, {
      token,
      body: { data: { value: 'x'.repeat(40_000) } },
    })

  const acknowledged: string[] = []
  let refused = await big('s0')
  for (let i = 1; refused.status === 200; i++) {
    acknowledged.push(`s${i - 1}`)
    refused = await big(`s${i}`)
  }
  expect(refused.status).toBe(503)
  expect(refused.text).toContain(
    'the storage cannot serve this request now; the server log says why',
  )
  await server.process.heard(/the disk of the storage is full; free space, and writing goes on by/)
  expect(acknowledged.length).toBeGreaterThan(10)
  const expectAll = async ({ api }: ConfiguredServer): Promise<void> => {
    for (const name of acknowledged) {
      expect((await api('GET', `secret/data/${name}`, { token })).status, name).toBe(200)
    }
  }
  await expectAll(server)
  expect((await server.api('GET', 'sys/health')).status).toBe(200)

  spawnSync('mount', ['-o', 'remount,size=16m', small])
  expect((await big('later')).status).toBe(200)
  acknowledged.push('later')
  server.process.signal('SIGKILL')
  await server.process.ended
  const again = await startConfigured({ dir: small })
  await unseal(again, keys)
  await expectAll(again)
  await stop(again)
})

describe('two servers over one file', () => {
  async function pair(): Promise<{ a: ConfiguredServer; b: ConfiguredServer; keys: Keys }> {
    const a = await startConfigured()
    const keys = await initialize(a)
    const b = await startConfigured({ dir: a.dir })
    await unseal(b, keys)
    return { a, b, keys }
  }

  test('what one has written the other reads at once', async () => {
    const { a, b, keys } = await pair()
    const token = keys.rootToken
    for (let i = 0; i < 200; i++) {
      const [writer, reader] = i % 2 === 0 ? [a, b] : [b, a]
      const body = { data: { value: i } }
      expect((await writer.api('POST', 'secret/data/turn', { token, body })).status).toBe(200)
      const read = await reader.api('GET', 'secret/data/turn', { token })
      expect(secretOf(read.json)).toBe(i)
    }
  })

  test('of two writers that check the version, one wins each time', async () => {
    const { a, b, keys } = await pair()
    const token = keys.rootToken
    for (let version = 0; version < 30; version++) {
      const statuses = await Promise.all(
        [a, b].map(async ({ api }) => {
          const body = { options: { cas: version }, data: { version } }
          return (await api('POST', 'secret/data/raced', { token, body })).status
        }),
      )
      expect(statuses.sort()).toEqual([200, 400])
    }
  })

  test('a token that one revokes is refused by the other at once; so is a policy that one takes away', async () => {
    const { a, b, keys } = await pair()
    const policy = 'path "secret/data/x" { capabilities = ["create", "update", "read"] }'
    await a.api('POST', 'sys/policies/acl/x', { token: keys.rootToken, body: { policy } })
    const made = await a.api('POST', 'auth/token/create', {
      token: keys.rootToken,
      body: { policies: ['x'] },
    })
    const token = String(memberOf(made.json, 'auth', 'client_token'))
    expect((await b.api('POST', 'secret/data/x', { token, body: { data: {} } })).status).toBe(200)
    expect((await a.api('GET', 'secret/data/x', { token })).status).toBe(200)

    await a.api('POST', 'sys/policies/acl/x', {
      token: keys.rootToken,
      body: { policy: 'path "secret/data/x" { capabilities = ["deny"] }' },
    })
    expect((await b.api('GET', 'secret/data/x', { token })).status).toBe(403)
    await b.api('POST', 'sys/policies/acl/x', { token: keys.rootToken, body: { policy } })
    expect((await a.api('GET', 'secret/data/x', { token })).status).toBe(200)

    await b.api('POST', 'auth/token/revoke', { token: keys.rootToken, body: { token } })
    expect((await a.api('GET', 'secret/data/x', { token })).status).toBe(403)
    expect((await a.api('GET', 'auth/token/lookup-self', { token })).status).toBe(403)
  })

  test('a mount and an audit device that one makes are the other’s at once', async () => {
    const { a, b, keys } = await pair()
    const token = keys.rootToken
    await a.api('POST', 'sys/mounts/more', { token, body: { type: 'kv' } })
    expect((await b.api('POST', 'more/x', { token, body: { a: 1 } })).status).toBe(204)
    const device = { type: 'file', options: { file_path: join(a.dir, 'missing', 'audit.log') } }
    mkdirSync(join(a.dir, 'missing'))
    expect((await a.api('POST', 'sys/audit/file', { token, body: device })).status).toBe(204)
    const listed = await b.api('GET', 'sys/audit', { token })
    expect(listed.json['data']).toHaveProperty('file/')
    const removed = await b.api('DELETE', 'sys/mounts/more', { token })
    expect(removed.status).toBe(204)
    expect((await a.api('GET', 'more/x', { token })).status).toBe(404)
  })

  test('sealing one seals both; each is opened by itself', async () => {
    const { a, b, keys } = await pair()
    expect((await a.api('PUT', 'sys/seal', { token: keys.rootToken })).status).toBe(204)
    const refused = await b.api('GET', 'secret/data/x', { token: keys.rootToken })
    expect(refused).toMatchObject({ status: 503, json: { errors: ['Vault is sealed'] } })
    expect((await b.api('GET', 'sys/health')).status).toBe(503)
    await unseal(b, keys)
    expect((await b.api('GET', 'sys/health')).status).toBe(200)
    expect((await a.api('GET', 'sys/health')).status).toBe(503)
  })
})
