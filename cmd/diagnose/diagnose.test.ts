import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createApi } from '../../core/api.ts'
import { systemClock } from '../../core/clock.ts'
import { closeListeners, startListener } from '../../core/http/testing/test-listener.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import { makeAuthority } from '../../test/e2e/certificates.ts'
import { freePort, portOf } from '../../test/support/free-port.ts'
import { startCluster } from '../../test/support/kit.ts'
import { diagnose } from './diagnose.ts'
import type { Finding, Status } from './finding.ts'
import type { Machine } from './machine.ts'

const NOW_MS = systemClock.nowMs()
const UID = process.getuid?.() ?? 0

/** A folder that is gone after the test. */
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'keyhold-diagnose-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A machine where all is well, but for what the test says. */
function machine(texts: Record<string, string> = {}, more: Partial<Machine> = {}): Machine {
  const all: Record<string, string> = { ...WELL, ...texts }
  return {
    readText: async (path) => all[path] ?? ownFile(path),
    ask: async () => undefined,
    // Rights are looked at by what the files say: the user who runs the tests owns them.
    uid: UID === 0 ? 0 : UID,
    nowMs: NOW_MS,
    totalMemoryBytes: 4e9,
    freeMemoryBytes: 2e9,
    nodeVersion: '24.7.0',
    ...more,
  }
}

/** Such as a pid file that the test wrote. */
function ownFile(path: string): string | undefined {
  return path.startsWith(tmpdir()) ? readFileSync(path, 'utf8') : undefined
}

const limits = (core: string, files: string) =>
  `Limit  Soft Limit  Hard Limit  Units\nMax core file size        ${core}   unlimited   bytes\nMax open files            ${files}   1048576   files\n`

const WELL = {
  '/run/systemd/timesync/synchronized': '',
  '/proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n',
  '/proc/self/limits': limits('0', '1048576'),
  '/proc/sys/kernel/core_pattern': 'core\n',
  '/proc/self/mountinfo': '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n',
  '/proc/1/cgroup': '0::/init.scope\n',
}

interface Site {
  readonly dir: string
  readonly storage: string
  readonly config: string
}

/** A configuration, and its folders. @param text of it; DIR stands for the folder */
function site(text = ''): Site {
  const dir = folder()
  chmodSync(dir, 0o700)
  const storage = join(dir, 'keyhold.db')
  mkdirSync(join(dir, 'audit'), { mode: 0o700 })
  const config = join(dir, 'keyhold.hcl')
  writeFileSync(config, (text === '' ? GOOD : text).replaceAll('DIR', dir))
  return { dir, storage, config }
}

const GOOD = `
storage "sqlite" { path = "DIR/keyhold.db" }
listener "tcp" { address = "127.0.0.1:0" tls_disable = true }
api_addr = "http://127.0.0.1:0"
audit_directory = "DIR/audit"
`

/** What the checks with this title found, each as `status: message`. */
async function found(
  { config }: Site,
  title: string,
  { on = machine(), skip = [] }: { on?: Machine; skip?: string[] } = {},
): Promise<string[]> {
  const results = await diagnose([config], on, new Set(skip))
  const result = results.find((one) => one.title === title)
  return (result?.findings ?? []).map(({ status, message }) => `${status}: ${message}`)
}

const of = (status: Status, text: string): unknown =>
  expect.arrayContaining([expect.stringMatching(new RegExp(`^${status}: .*${text}`))])

test('where all is well nothing is found, and all findings with something to do say what', async () => {
  const results = await diagnose([site().config], machine({}, { uid: UID }), new Set())
  const findings = results.flatMap((result): readonly Finding[] => result.findings)
  const bad = findings.filter(({ status }) => status === 'failure' || status === 'warning')
  const expected = UID === 0 ? ['this is run by root'] : []
  expect(bad.map(({ message }) => message.slice(0, 19))).toEqual(expected)
  for (const { advice } of bad) expect(advice).not.toBe('')
})

test('a check can be skipped, and the others go on', async () => {
  const on = machine({ '/proc/swaps': 'Filename\n/dev/sda2 partition 1 0 -2\n' })
  expect(await found(site(), 'Swap', { on, skip: ['swap'] })).toEqual(['skipped: as asked for'])
  expect(await found(site(), 'Memory', { on, skip: ['swap'] })).toHaveLength(1)
})

describe('the configuration', () => {
  test('that cannot be read ends it with its fault and line', async () => {
    const { config } = site('storage "sqlite" { path = "x" }\nlistner "tcp" {}\n')
    const results = await diagnose([config], machine(), new Set())
    expect(results.map(({ title, status }) => [title, status]).at(-1)).toEqual([
      'Configuration',
      'failure',
    ])
    expect(results.at(-1)?.findings[0]?.message).toContain('listner')
  })

  test('that every user may change', async () => {
    const own = site()
    chmodSync(own.config, 0o666)
    expect(await found(own, 'Configuration')).toEqual(of('failure', 'may be changed by every user'))
  })

  test('of another user', async () => {
    const on = machine({}, { uid: UID + 1234 })
    const bad = await found(site(), 'Configuration', { on })
    expect(bad.some((one) => one.startsWith('warning'))).toBe(UID !== 0)
    const storage = site()
    await (await openSqlite({ path: storage.storage })).close()
    expect(await found(storage, 'Storage', { on })).toEqual(of('warning', 'belongs to the user'))
  })
})

test('a Node that is too old, and root', async () => {
  const on = machine({}, { nodeVersion: '22.0.0', uid: 0 })
  expect(await found(site(), 'Program', { on })).toEqual([
    expect.stringMatching(/^failure: .*Node 22/),
    expect.stringMatching(/^warning: this is run by root/),
  ])
})

describe('the storage', () => {
  test('of a server that is at work is found whole, and left as it is', async () => {
    const own = site()
    const storage = await openSqlite({ path: own.storage })
    const cluster = await startCluster({ storage, nodes: 1 })
    onTestFinished(async () => {
      await cluster.close()
      await storage.close()
    })
    expect(await found(own, 'Storage')).toEqual(of('ok', 'holds the records of a server'))
    const made = await cluster.write('auth/token/create')
    expect(made.status).toBe(200)
  })

  test.each([
    ['no database', (path: string) => writeFileSync(path, 'x'.repeat(4096)), 'is not a database'],
    [
      'of another program',
      (path: string) => new Database(path).exec('CREATE TABLE t (a)').close(),
      'is a database of another program',
    ],
    [
      'of a newer release',
      (path: string) => {
        const database = new Database(path)
        database.pragma('user_version = 99')
        database.close()
      },
      'was written by a newer release',
    ],
  ])('that is %s', async (_what, spoil, text) => {
    const own = site()
    await (await openSqlite({ path: own.storage })).close()
    if (_what !== 'of a newer release') rmSync(own.storage)
    spoil(own.storage)
    chmodSync(own.storage, 0o600)
    const before = readFileSync(own.storage)
    expect(await found(own, 'Storage')).toEqual(of('failure', text))
    expect(readFileSync(own.storage)).toEqual(before)
  })

  test('that another program holds locked', async () => {
    const own = site()
    await (await openSqlite({ path: own.storage })).close()
    const other = new Database(own.storage)
    other.exec('BEGIN IMMEDIATE')
    onTestFinished(() => void other.close())
    expect(await found(own, 'Storage')).toEqual(of('failure', 'is locked by another program'))
  })

  test('that is not there yet is not made', async () => {
    const own = site()
    expect(await found(own, 'Storage')).toEqual(of('ok', 'the first start makes it'))
    expect(statSync(own.storage, { throwIfNoEntry: false })).toBeUndefined()
  })

  test('whose folder is missing altogether', async () => {
    const own = site(GOOD.replace('DIR/keyhold.db', 'DIR/a/b/keyhold.db'))
    expect(await found(own, 'Storage')).toEqual(of('failure', 'does not exist'))
  })

  test('that every user may read, in a folder that every user may change', async () => {
    const own = site()
    await (await openSqlite({ path: own.storage })).close()
    chmodSync(own.storage, 0o644)
    chmodSync(own.dir, 0o777)
    const bad = await found(own, 'Storage')
    expect(bad).toEqual(of('failure', 'may be read by every user'))
    expect(bad).toEqual(of('failure', 'may be changed by every user'))
  })

  test.each([
    ['nfs4', 'failure', 'of another machine'],
    ['overlay', 'warning', 'does not outlive its container'],
  ] as const)('on %s', async (type, status, text) => {
    const own = site()
    const on = machine({
      '/proc/self/mountinfo': `1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:9 / ${own.dir} rw shared:1 - ${type} x rw\n`,
    })
    expect(await found(own, 'Storage', { on })).toEqual(of(status, text))
  })

  test('in memory', async () => {
    const own = site(GOOD.replace(/storage .*/, 'storage "inmem" {}'))
    expect(await found(own, 'Storage')).toEqual(of('warning', 'the storage is in memory'))
    expect(await found(own, 'Disk space')).toEqual(of('ok', 'audit files'))
  })
})

describe('the clock', () => {
  test('that is behind the storage', async () => {
    const own = site()
    await (await openSqlite({ path: own.storage })).close()
    const later = NOW_MS / 1000 + 3600
    utimesSync(own.storage, later, later)
    expect(await found(own, 'Clock')).toEqual(of('failure', 'in the future of this clock'))
  })

  const without = (answers: Record<string, string>) => ({
    ...machine(),
    readText: async () => undefined,
    ask: async (program: string) => answers[program],
  })

  test.each([
    [{ timedatectl: 'NTPSynchronized=yes\n' }, 'ok: the clock is kept right'],
    [{ timedatectl: 'NTPSynchronized=no\n' }, 'warning: the clock is not kept right'],
    [{ chronyc: 'Leap status     : Normal\n' }, 'ok: the clock is kept right'],
    [{ chronyc: 'Leap status     : Not synchronised\n' }, 'warning: the clock is not kept right'],
    [
      { timedatectl: 'NTPSynchronized=no\n', chronyc: 'Leap status     : Normal\n' },
      'ok: the clock is kept right',
    ],
    [{}, 'warning: whether the clock is kept right'],
  ])('is asked of who knows: %j', async (answers: Record<string, string>, text) => {
    const said = await found(site(), 'Clock', { on: without(answers) })
    expect(said[1]).toContain(text)
  })
})

describe('TLS', () => {
  const SERVER = `
storage "inmem" {}
listener "tcp" { address = "127.0.0.1:0" tls_cert_file = "DIR/CERT.crt" tls_key_file = "DIR/KEY.key" }
api_addr = "https://HOST:8200"
`

  /** A listener with files of an authority. */
  function tlsSite({ cert = 'localhost', key = 'localhost', host = 'localhost' } = {}) {
    const own = site(SERVER.replace('CERT', cert).replace('KEY', key).replace('HOST', host))
    const authority = makeAuthority(own.dir)
    for (const name of new Set(['localhost', cert, key])) if (name !== 'ca') authority.issue(name)
    for (const name of [key, 'localhost']) chmodSync(join(own.dir, `${name}.key`), 0o600)
    return own
  }
  /** Certificates for tests live for two days. */
  const EXPIRES = 'expires in 1 days'

  test('that is right but for its date', async () => {
    const on = machine({}, { nowMs: NOW_MS + 300_000 })
    const said = await found(tlsSite(), 'TLS', { on })
    expect(said).toEqual(of('warning', EXPIRES))
    expect(said.filter((one) => one.startsWith('failure'))).toEqual([])
  })

  test('with the key of another certificate', async () => {
    const said = await found(tlsSite({ key: 'other' }), 'TLS')
    expect(said).toEqual(of('failure', 'does not belong to the first certificate'))
  })

  test('that has expired', async () => {
    const on = machine({}, { nowMs: NOW_MS + 3 * 86_400_000 })
    expect(await found(tlsSite(), 'TLS', { on })).toEqual(of('failure', 'has expired'))
  })

  test('that is not good yet', async () => {
    const on = machine({}, { nowMs: NOW_MS - 3 * 86_400_000 })
    expect(await found(tlsSite(), 'TLS', { on })).toEqual(of('failure', 'is not good before'))
  })

  test('for another name than that of api_addr', async () => {
    const said = await found(tlsSite({ host: 'keyhold.example.org' }), 'TLS')
    expect(said).toEqual(of('warning', 'does not name keyhold.example.org'))
  })

  test('whose key every user may read', async () => {
    const own = tlsSite()
    chmodSync(join(own.dir, 'localhost.key'), 0o644)
    expect(await found(own, 'TLS')).toEqual(of('failure', 'the private key .*read by every user'))
  })

  test('whose files are missing, or hold something else', async () => {
    const own = tlsSite()
    rmSync(join(own.dir, 'localhost.key'))
    expect(await found(own, 'TLS')).toEqual(of('failure', 'does not exist'))
    writeFileSync(join(own.dir, 'localhost.key'), 'secret-text', { mode: 0o600 })
    const said = await found(own, 'TLS')
    expect(said).toEqual(of('failure', 'holds no private key'))
    expect(said.join()).not.toContain('secret-text')
  })

  test('with a chain in the wrong order', async () => {
    const own = tlsSite()
    const file = join(own.dir, 'localhost.crt')
    const leaf = readFileSync(file, 'utf8')
    writeFileSync(file, `${leaf}${leaf}`)
    expect(await found(own, 'TLS')).toEqual(of('failure', 'did not issue the one before it'))
    writeFileSync(file, `${leaf}${readFileSync(join(own.dir, 'ca.crt'), 'utf8')}`)
    const said = await found(own, 'TLS')
    expect(said.some((one) => one.includes('issued by') || one.includes('did not issue'))).toBe(
      false,
    )
  })

  test('without the certificate of who issued it', async () => {
    expect(await found(tlsSite(), 'TLS')).toEqual(of('warning', 'issued by CN=test authority'))
  })
})

describe('a listener', () => {
  const at = (address: string) => site(GOOD.replace('127.0.0.1:0', address))

  test('whose port a server like this holds', async () => {
    const cluster = await startCluster({ nodes: 1 })
    const [node] = cluster.nodes
    if (node === undefined) throw new Error('a cluster has a node')
    const { port } = await startListener({}, createApi(node))
    onTestFinished(async () => {
      await closeListeners()
      await cluster.close()
    })
    const own = at(`127.0.0.1:${port}`)
    expect(await found(own, 'Listeners')).toEqual(of('ok', 'a server answers, which is unsealed'))
    await cluster.write('sys/seal')
    expect(await found(own, 'Listeners')).toEqual(of('ok', 'a server answers, which is sealed'))
  })

  test('whose port another program holds, whether it speaks HTTP or not', async () => {
    for (const server of [
      createServer((_request, response) => response.end('{"a":1}')),
      createTcpServer((socket) => void socket.end('hello\r\n')),
    ]) {
      server.listen(0, '127.0.0.1')
      await new Promise((resolve) => void server.once('listening', resolve))
      const said = await found(at(`127.0.0.1:${portOf(server)}`), 'Listeners')
      expect(said).toEqual(of('failure', 'is in use'))
      server.close()
    }
  })

  test('that is there twice', async () => {
    const port = await freePort()
    const twice = `listener "tcp" { address = "127.0.0.1:${port}" tls_disable = true }\n`
    const said = await found(site(GOOD.replace(/listener .*/, twice + twice)), 'Listeners')
    expect(said).toEqual(of('failure', 'two listeners have the address'))
  })

  test('whose address is not of this machine', async () => {
    const said = await found(at('192.0.2.1:8200'), 'Listeners')
    expect(said).toEqual(of('failure', 'does not belong to this machine'))
  })

  test('that speaks to other machines without TLS', async () => {
    expect(await found(at('0.0.0.0:0'), 'Listeners')).toEqual(of('warning', 'without TLS'))
    expect(await found(at('127.0.0.1:0'), 'Listeners')).not.toEqual(of('warning', 'without TLS'))
  })

  const unix = (path: string) =>
    site(GOOD.replace(/listener .*/, `listener "unix" { address = "${path}" }`))

  test('on a socket: free, of no folder, and what is no socket', async () => {
    expect(await found(unix('DIR/s.sock'), 'Listeners')).toEqual(of('ok', 'is free'))
    expect(await found(unix('DIR/a/b/s.sock'), 'Listeners')).toEqual(
      of('failure', 'does not exist'),
    )
    const own = unix('DIR/keyhold.hcl')
    expect(await found(own, 'Listeners')).toEqual(of('failure', 'is no socket'))
    expect(readFileSync(own.config, 'utf8')).toContain('listener')
  })
})

describe('api_addr', () => {
  const address = (line: string) => site(GOOD.replace(/api_addr.*/, line))

  test.each([
    ['', 'warning', 'is not set'],
    ['api_addr = "127.0.0.1:8200"', 'failure', 'is no URL'],
    ['api_addr = "http://0.0.0.0:8200"', 'failure', 'names every address'],
    ['api_addr = "https://127.0.0.1:0"', 'warning', 'all listeners speak without TLS'],
    ['api_addr = "http://127.0.0.1:8300"', 'warning', 'no listener has the port 8300'],
  ] as const)('%j', async (line, status, text) => {
    expect(await found(address(line), 'Address for clients')).toEqual(of(status, text))
  })
})

describe('audit files', () => {
  test('whose folder is missing', async () => {
    const own = site()
    rmSync(join(own.dir, 'audit'), { recursive: true })
    expect(await found(own, 'Audit files')).toEqual(of('failure', 'does not exist'))
  })

  test('that every user may read, or that others may change', async () => {
    const own = site()
    const file = join(own.dir, 'audit', 'audit.log')
    writeFileSync(file, '{}\n')
    chmodSync(file, 0o644)
    expect(await found(own, 'Audit files')).toEqual(of('failure', 'audit.log may be read by every'))
    chmodSync(file, 0o620)
    expect(await found(own, 'Audit files')).toEqual(
      of('warning', 'audit.log may be changed by its'),
    )
    chmodSync(file, 0o640)
    expect(await found(own, 'Audit files')).toEqual(of('ok', 'can be written'))
  })

  test('whose folder is a file, or every user may change', async () => {
    const own = site()
    chmodSync(join(own.dir, 'audit'), 0o777)
    expect(await found(own, 'Audit files')).toEqual(of('failure', 'may be changed by every user'))
    rmSync(join(own.dir, 'audit'), { recursive: true })
    copyFileSync(own.config, join(own.dir, 'audit'))
    expect(await found(own, 'Audit files')).toEqual(of('failure', 'is no folder'))
  })
})

describe('the machine', () => {
  test.each([
    ['/dev/sda2', {}, 'warning: there is swap on /dev/sda2, and it does not look encrypted'],
    [
      '/dev/dm-1',
      { '/sys/block/dm-1/dm/uuid': 'CRYPT-PLAIN-x' },
      'ok: swap on /dev/dm-1 is encrypted',
    ],
    ['/dev/dm-1', { '/sys/block/dm-1/dm/uuid': 'LVM-x' }, 'warning: there is swap on /dev/dm-1'],
    ['/dev/zram0', {}, 'ok: swap on /dev/zram0 is memory'],
  ])('with swap on %s %j', async (device, texts: Record<string, string>, text) => {
    const on = machine({ '/proc/swaps': `Filename Type\n${device} partition 1 0 -2\n`, ...texts })
    expect((await found(site(), 'Swap', { on }))[0]).toContain(text)
  })

  test.each([
    ['0', 'core', 'ok: no core dump'],
    ['unlimited', 'core', 'warning: where a process of this shell crashes'],
    ['0', '|/usr/lib/systemd/systemd-coredump %P', 'ok: no core dump'],
    ['0', '|/usr/share/apport/apport %p', 'warning: where a process of this shell crashes'],
    ['1024', '|/usr/lib/systemd/systemd-coredump %P', 'warning: where a process'],
  ])('with a core limit of %s and the pattern %s', async (limit, pattern, text) => {
    const on = machine({
      '/proc/self/limits': limits(limit, '1048576'),
      '/proc/sys/kernel/core_pattern': pattern,
    })
    expect((await found(site(), 'Core dumps', { on }))[0]).toContain(text)
  })

  test('has the limits of the running server, not of the shell', async () => {
    const own = site(`${GOOD}pid_file = "DIR/keyhold.pid"\n`)
    writeFileSync(join(own.dir, 'keyhold.pid'), '4711\n')
    const on = machine({
      '/proc/4711/cmdline': 'node\0keyhold\0server\0',
      '/proc/4711/limits': limits('unlimited', '64'),
    })
    expect(await found(own, 'Core dumps', { on })).toEqual(of('warning', 'the running server'))
    expect(await found(own, 'Open files', { on })).toEqual(of('failure', 'the running server'))
    const other = machine({ '/proc/4711/cmdline': 'bash\0', '/proc/4711/limits': limits('9', '9') })
    expect(await found(own, 'Open files', { on: other })).toEqual(of('ok', 'a process of this'))
  })

  test('with swap that the running server may not use', async () => {
    const own = site(`${GOOD}pid_file = "DIR/keyhold.pid"\n`)
    writeFileSync(join(own.dir, 'keyhold.pid'), '4711\n')
    const texts = {
      '/proc/swaps': 'Filename\n/dev/sda2 partition 1 0 -2\n',
      '/proc/4711/cmdline': 'node\0keyhold\0server\0',
      '/proc/4711/cgroup': '0::/system.slice/keyhold.service\n',
    }
    const limit = '/sys/fs/cgroup/system.slice/keyhold.service/memory.swap.max'
    const none = machine({ ...texts, [limit]: '0\n' })
    expect(await found(own, 'Swap', { on: none })).toEqual(of('ok', 'may use none of it'))
    const any = machine({ ...texts, [limit]: 'max\n' })
    expect(await found(own, 'Swap', { on: any })).toEqual(of('warning', 'there is swap'))
  })

  test('with fewer open files than the listeners take connections', async () => {
    const on = machine({ '/proc/self/limits': limits('0', '256') })
    expect(await found(site(), 'Open files', { on })).toEqual(of('warning', '256 files'))
  })

  test.each([
    [{ totalMemoryBytes: 100e6 }, {}, 'failure: this machine has 100.0 MB'],
    [{ totalMemoryBytes: 400e6 }, {}, 'warning: this machine has 400.0 MB'],
    [
      {},
      { '/sys/fs/cgroup/memory.max': '134217728\n' },
      'failure: this container may use 134.2 MB',
    ],
    [{}, { '/sys/fs/cgroup/memory.max': 'max\n' }, 'ok: this machine has 4.0 GB'],
  ])('with memory %j %j', async (more, texts: Record<string, string>, text) => {
    const said = await found(site(), 'Memory', { on: machine(texts, more) })
    expect(said[0]).toContain(text)
  })

  test('is a container by its marks', async () => {
    const on = machine({ '/.dockerenv': '' })
    expect(await found(site(), 'Container', { on })).toEqual(of('ok', 'this is a container'))
    expect(await found(site(), 'Container')).toEqual(of('ok', 'this is no container'))
  })

  test('that tells nothing, as other systems do, is no failure', async () => {
    const on = { ...machine(), readText: async () => undefined }
    for (const title of ['Swap', 'Core dumps', 'Open files', 'Memory', 'Container']) {
      const said = await found(site(), title, { on })
      expect(said.every((one) => /^(?:ok|skipped)/.test(one))).toBe(true)
    }
  })
})
