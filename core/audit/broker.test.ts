import {
  mkdtempSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  existsSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BadRequest } from '../errors.ts'
import { systemRandom } from '../random.ts'
import { AuditBroker } from './broker.ts'
import type { RequestEntry, ResponseEntry } from './facts.ts'
import { AuditFailed } from './failures.ts'
import { addDevice, EMPTY_AUDIT_TABLE, newDevice, removeDevice, type AuditTable } from './table.ts'
import { memberOf, parseObject } from '../../test/support/json.ts'

let directory = ''
let reports: [string, string | undefined][] = []
let broker: AuditBroker

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'audit-broker-')))
  reports = []
  broker = new AuditBroker({
    config: { auditDirectory: directory },
    report: (path, failure) => reports.push([path, failure?.message]),
  })
})
afterEach(async () => {
  await broker.close()
  rmSync(directory, { recursive: true, force: true })
})

function record(path: string, options: Record<string, string> = {}) {
  const file = options['file_path'] ?? join(directory, `${path}.log`)
  return newDevice({ path, type: 'file', options: { ...options, file_path: file } }, systemRandom)
}

function tableOf(...devices: ReturnType<typeof record>[]): AuditTable {
  return devices.reduce(addDevice, EMPTY_AUDIT_TABLE)
}

function request(path = 'secret/a', data: Record<string, unknown> = { a: 'canary' }): RequestEntry {
  return {
    timeMs: 0,
    auth: { tokenType: 'default' },
    request: { id: 'id', operation: 'read', namespace: { id: 'root', path: '' }, path, data },
  }
}

const response = (path?: string): ResponseEntry => ({
  ...request(path),
  response: { data: { b: 'canary' } },
})
const log = (path: string) => readFileSync(join(directory, `${path}.log`), 'utf8')
const paths = (path: string) =>
  log(path)
    .trimEnd()
    .split('\n')
    .map((line) => memberOf(JSON.parse(line), 'request', 'path'))

test('without devices nothing is recorded, and nothing waited for', async () => {
  expect(broker.recordRequest(request())).toBe(broker.recordResponse(response()))
  await broker.recordRequest(request())
})

test('an entry that cannot be made is refused, and told to the log', async () => {
  broker.sync(tableOf(record('f')))
  const data: Record<string, unknown> = {}
  data['itself'] = data
  await expect(broker.recordRequest(request('secret/a', data))).rejects.toThrow(AuditFailed)
  expect(reports).toEqual([['f/', 'the audit entry could not be made']])
})

test('entries are in the file when they count as recorded, in their order', async () => {
  broker.sync(tableOf(record('f')))
  const names = Array.from({ length: 50 }, (_, i) => `secret/${i}`)
  const recorded = names.map((name) => broker.recordRequest(request(name)))
  await recorded[49]
  expect(paths('f')).toEqual(names)
  await broker.recordResponse(response('last'))
  expect(paths('f').at(-1)).toBe('last')
  expect(log('f')).not.toContain('canary')
})

test('each device has its own salt and options: a raw one shows nothing in the other', async () => {
  broker.sync(tableOf(record('raw', { log_raw: 'true' }), record('safe')))
  await broker.recordRequest(request())
  await broker.recordResponse(response())
  await broker.flush()
  expect(log('raw')).not.toContain('hmac')
  expect(log('safe')).not.toContain('canary')
  expect(log('safe').split(broker.hash('safe', 'canary'))).toHaveLength(4)
  expect(broker.hash('safe/', 'canary')).not.toBe(broker.hash('raw', 'canary'))
})

describe('when devices fail', () => {
  const broken = () => record('broken', { file_path: join(directory, 'sub', 'x.log') })
  const breakIt = () => rmSync(join(directory, 'sub'), { recursive: true })
  beforeEach(() => mkdirSync(join(directory, 'sub')))

  test('one of several is enough', async () => {
    const table = tableOf(broken(), record('f'))
    breakIt()
    broker.sync(table)
    await broker.recordRequest(request())
    await broker.recordResponse(response())
    expect(paths('f')).toHaveLength(2)
    expect(reports).toEqual([['broken/', expect.stringContaining('does not exist')]])
  })

  test('all of them: the request and the answer fail, with the texts of Vault', async () => {
    const table = tableOf(broken(), record('also', { file_path: join(directory, 'sub', 'y.log') }))
    breakIt()
    for (const each of [table, removeDevice(table, 'also')]) {
      broker.sync(each)
      const refused = broker.recordRequest(request())
      await expect(refused).rejects.toThrow(AuditFailed)
      await expect(refused).rejects.toMatchObject({
        status: 500,
        errors: ['1 error occurred:\n\t* internal error\n\n'],
      })
      await expect(broker.recordResponse(response())).rejects.toMatchObject({
        errors: ['internal error'],
      })
    }
  })

  test('it recovers by itself when the cause is gone, and says so', async () => {
    const table = tableOf(broken())
    breakIt()
    broker.sync(table)
    await expect(broker.recordRequest(request())).rejects.toThrow(AuditFailed)
    await expect(broker.recordRequest(request())).rejects.toThrow(AuditFailed)
    mkdirSync(join(directory, 'sub'))
    await broker.recordRequest(request())
    expect(reports.map(([, text]) => text !== undefined)).toEqual([true, false])
  })

  test.each(['/tmp/a.log', 'stdout/../a.log'])(
    'a device that the configuration does not allow refuses every entry: %s',
    async (path) => {
      broker.sync(tableOf(record('f', { file_path: path })))
      await expect(broker.recordRequest(request())).rejects.toThrow(AuditFailed)
      expect(reports[0]?.[1]).toContain('"audit_directory"')
    },
  )

  test('without an audit directory a file that was enabled before refuses every entry', async () => {
    const unconfigured = new AuditBroker({
      config: {},
      report: (path, failure) => reports.push([path, failure?.message]),
    })
    unconfigured.sync(tableOf(record('f')))
    await expect(unconfigured.recordRequest(request())).rejects.toThrow(AuditFailed)
    expect(reports).toEqual([['f/', expect.stringContaining('set "audit_directory"')]])
    await unconfigured.close()
  })

  test('facts that cannot be encoded count as not recorded', async () => {
    broker.sync(tableOf(record('f')))
    const hostile = {
      get a(): never {
        throw new Error('no')
      },
    }
    await expect(broker.recordRequest(request('x', hostile))).rejects.toThrow(AuditFailed)
    await broker.recordRequest(request('y'))
    expect(paths('f')).toEqual(['y'])
  })
})

test('following the table keeps what is enabled open, and closes what is not', async () => {
  const [one, two] = [record('one'), record('two')]
  broker.sync(tableOf(one))
  const unfinished = broker.recordRequest(request('before'))
  broker.sync(tableOf(one, two))
  broker.sync(tableOf(two))
  await unfinished
  await broker.recordRequest(request('after'))
  await broker.flush()
  expect(paths('one')).toEqual(['before'])
  expect(paths('two')).toEqual(['after'])
  expect(() => broker.hash('one', 'x')).toThrow(new BadRequest('unknown audit backend "one/"'))
  expect(() => broker.hash('two', '')).toThrow(new BadRequest('the "input" parameter is empty'))
})

test('a device enabled anew under the same path has another salt', () => {
  broker.sync(tableOf(record('f')))
  const before = broker.hash('f', 'x')
  broker.sync(tableOf(record('f')))
  expect(broker.hash('f', 'x')).not.toBe(before)
})

test('enabling a device writes one test line', async () => {
  await broker.test(record('f'))
  const line = parseObject(log('f'))
  const id = String(memberOf(line, 'request', 'id'))
  expect(JSON.stringify(line)).toBe(
    `{"time":"${String(line['time'])}","type":"request","auth":{"token_type":"default"},"request":{"id":"${id}",` +
      '"operation":"update","namespace":{"id":"root"},"path":"sys/audit/test"}}',
  )
})

test('a device that cannot be written is refused when it is enabled', async () => {
  mkdirSync(join(directory, 'f.log'))
  await expect(broker.test(record('f'))).rejects.toThrow(
    new BadRequest(
      'audit backend failed test message: the path of the audit file is a directory; give a file in it',
    ),
  )
})

describe('which entries a device gets', () => {
  /** What each of three devices has of requests to `a`, `b` and `c`, each with its answer. */
  async function recorded(...devices: [string, Record<string, string>][]) {
    broker.sync(tableOf(...devices.map(([path, options]) => record(path, options))))
    for (const path of ['a', 'b', 'c']) {
      await broker.recordRequest(request(path))
      await broker.recordResponse(response(path))
    }
    await broker.flush()
    return devices.map(([path]) => (log(path) === '' ? '' : paths(path).join('')))
  }

  test('with a filter, those that it lets through; without one, all', async () => {
    expect(await recorded(['f', { filter: 'path == a or path == b' }], ['g', {}])).toEqual([
      'aabb',
      'aabbcc',
    ])
  })

  test('as a fallback, those that no other device gets', async () => {
    expect(
      await recorded(
        ['f', { filter: 'path == a' }],
        ['g', { filter: 'path == b' }],
        ['h', { fallback: 'true' }],
      ),
    ).toEqual(['aa', 'bb', 'cc'])
    expect(await recorded(['i', {}], ['j', { fallback: 'true' }])).toEqual(['aabbcc', ''])
  })

  test('one that no device gets is no reason to refuse the request', async () => {
    expect(await recorded(['f', { filter: 'path == a' }])).toEqual(['aa'])
  })

  test('one that a single device gets counts only once that has it', async () => {
    rmSync(directory, { recursive: true })
    broker.sync(
      tableOf(record('f', { filter: 'path == a' }), record('g', { file_path: 'discard' })),
    )
    await broker.recordRequest(request('a'))
    broker.sync(
      tableOf(
        record('f', { filter: 'path == a' }),
        record('g', { file_path: 'discard', filter: 'path == b' }),
        record('h', { file_path: 'discard', fallback: 'true' }),
      ),
    )
    await expect(broker.recordRequest(request('a'))).rejects.toThrow(AuditFailed)
    await broker.recordRequest(request('b'))
    await broker.recordRequest(request('c'))
    mkdirSync(directory)
  })

  test('each property of a request can be asked for', async () => {
    const mount = { path: 'secret/', type: 'kv' }
    const entry = request()
    const asked = {
      ...entry,
      request: { ...entry.request, mount, namespace: { id: 'n', path: 'ns/' } },
    }
    const filters = [
      'mount_point == "secret/"',
      'mount_type == kv',
      'namespace == "ns/"',
      'operation == read',
      'path contains secret',
    ]
    broker.sync(tableOf(...filters.map((filter, i) => record(`f${i}`, { filter }))))
    await broker.recordRequest(asked)
    await broker.recordRequest(request('other'))
    await broker.flush()
    expect(filters.map((_, i) => paths(`f${i}`).length)).toEqual([1, 1, 1, 2, 1])
  })
})

test('reopening goes on in a new file', async () => {
  broker.sync(tableOf(record('f')))
  await broker.recordRequest(request('one'))
  renameSync(join(directory, 'f.log'), join(directory, 'f.log.1'))
  broker.reopen()
  expect(existsSync(join(directory, 'f.log'))).toBe(true)
  await broker.recordRequest(request('two'))
  expect(paths('f')).toEqual(['two'])
})

test('closing writes what waits', async () => {
  broker.sync(tableOf(record('f')))
  void broker.recordRequest(request('one'))
  await broker.close()
  expect(paths('f')).toEqual(['one'])
})
