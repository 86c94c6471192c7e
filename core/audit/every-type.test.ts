/** That every option which shapes a line does so for every type of device, wherever its lines go. */
import { createServer as createHttpServer } from 'node:http'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { portOf } from '../../test/support/free-port.ts'
import { systemRandom } from '../random.ts'
import { AuditBroker } from './broker.ts'
import type { ResponseEntry } from './facts.ts'
import { addDevice, EMPTY_AUDIT_TABLE, newDevice } from './table.ts'

/** Where a device of a type can write, and what has come there. */
interface Place {
  readonly options: Readonly<Record<string, string>>
  readonly received: () => string
}

function filePlace(): Place {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'audit-every-type-')))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'a.log')
  return { options: { file_path: path }, received: () => readFileSync(path, 'utf8') }
}

async function streamPlace(): Promise<Place> {
  let received = ''
  const server = createServer((socket) => socket.on('data', (bytes) => (received += String(bytes))))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
  })
  const options = { address: `127.0.0.1:${portOf(server)}`, socket_type: 'tcp' }
  return { options, received: () => received }
}

async function httpPlace(): Promise<Place> {
  let received = ''
  const server = createHttpServer((request, response) => {
    void text(request).then((body) => {
      received += `${body}\n`
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { options: { uri: `http://127.0.0.1:${portOf(server)}` }, received: () => received }
}

const PLACES: Readonly<Record<string, () => Place | Promise<Place>>> = {
  file: filePlace,
  socket: streamPlace,
  syslog: streamPlace,
  http: httpPlace,
}

const entry = (operation: string, path: string): ResponseEntry => ({
  timeMs: 0,
  auth: { tokenType: 'service', clientToken: 'aToken', accessor: 'anAccessor' },
  request: { id: 'id', operation, namespace: { id: 'root', path: '' }, path },
  response: { data: { keys: ['aKey', 'anotherKey'] } },
})

/** What a device of this type writes of one answer. */
async function written(type: string, options: Readonly<Record<string, string>>) {
  const place = await (PLACES[type] ?? filePlace)()
  const auditDirectory = place.options['file_path']?.replace(/\/[^/]*$/, '')
  const broker = new AuditBroker({
    config: { auditDirectory, allowPrefix: true },
    report: () => undefined,
  })
  onTestFinished(() => broker.close())
  const device = newDevice(
    { path: 'd', type, options: { ...place.options, ...options } },
    systemRandom,
  )
  broker.sync(addDevice(EMPTY_AUDIT_TABLE, device))
  await broker.recordResponse(entry('read', 'filtered'))
  await broker.recordResponse(entry('list', 'wanted'))
  return vi.waitFor(() => {
    expect(place.received()).toContain('wanted')
    return place.received()
  })
}

describe.each(Object.keys(PLACES))('%s', (type) => {
  test('without options hashes all, and gets all', async () => {
    const lines = await written(type, {})
    expect(lines).not.toMatch(/aToken|anAccessor|aKey/)
    expect(lines).toContain('"path":"filtered"')
  })

  test.each([
    ['log_raw', { log_raw: 'true' }, '"client_token":"aToken","accessor":"anAccessor"'],
    ['hmac_accessor', { hmac_accessor: 'false' }, '"accessor":"anAccessor"'],
    ['elide_list_responses', { elide_list_responses: 'true' }, '"data":{"keys":2}'],
    ['prefix', { prefix: '@cee: ' }, '@cee: {"time"'],
    [
      'jsonx',
      { format: 'jsonx' },
      '<json:string name="operation">list</json:string><json:string name="path">wanted</json:string>',
    ],
    ['exclude', { exclude: '[{"fields":["/auth"]}]' }, '"type":"response","request"'],
  ])('%s', async (_name, options, shown) => {
    expect(await written(type, options)).toContain(shown)
  })

  test('filter', async () => {
    expect(await written(type, { filter: 'path == wanted' })).not.toContain('"path":"filtered"')
  })

  test('fallback gets all where nothing else does', async () => {
    expect(await written(type, { fallback: 'true' })).toContain('"path":"filtered"')
  })
})
