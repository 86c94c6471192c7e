/**
 * Envelopes that `@keyhold/client` wrote with the keys of a real server, read by `reader.py`, which was written from
 * `docs/envelope-format.md` alone.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Client, EnvelopeDecrypter, EnvelopeEncrypter } from '../../../clients/js/src/main.ts'
import { startDevServer, type RunningServer } from '../../support/server-process.ts'
import { findPython } from './python.ts'

const READER = join(import.meta.dirname, 'reader.py')
const VECTORS = join(import.meta.dirname, '../../vectors/envelope.json')
const MIB = 1_048_576
const FRAME = MIB + 16
const LONGEST_READER_LINES = 150

const vectors = z
  .object({
    data_key: z.string(),
    vectors: z.array(
      z.object({
        expect: z.enum(['valid', 'refused']),
        comment: z.string(),
        context: z.record(z.string(), z.string()),
        plaintext: z.string().optional(),
        envelope: z.string().optional(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(VECTORS, 'utf8')))

let server: RunningServer
let client: Client

beforeAll(async () => {
  server = await startDevServer()
  client = new Client({ address: server.address, token: server.rootToken })
  await client.write('sys/mounts/transit', { type: 'transit' })
  await client.write('transit/keys/backup')
  await client.write('transit/keys/tenants', { derived: true })
})

afterAll(() => server.stop())

const python = findPython()
const program = 'program' in python ? python.program : ''

describe.skipIf('missing' in python)('the reader in Python', () => {
  test('is as short as a page allows', () => {
    const lines = readFileSync(READER, 'utf8').trimEnd().split('\n')
    expect(lines.length).toBeLessThanOrEqual(LONGEST_READER_LINES)
  })

  test.each([0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB])('reads %d bytes', async (size) => {
    const plaintext = patternOf(size)

    const done = await read(await encrypt(plaintext))

    expect(done.stderr).toBe('')
    expect(Buffer.compare(done.stdout, plaintext)).toBe(0)
  })

  test('reads what has a context, of a derived key', async () => {
    const context = { tenant: 'acme', größe: '5' }
    const envelope = await encrypt(patternOf(10), { key: 'tenants', context })

    expect(await read(envelope, context)).toMatchObject({ code: 0, stderr: '' })
    expect(await read(envelope)).toMatchObject({ code: 1 })
  })

  test('refuses frames that were cut off, moved, doubled or altered', async () => {
    const envelope = await encrypt(patternOf(3 * MIB))
    const begin = envelope.readUInt32BE(8)
    const header = envelope.subarray(0, begin)
    const frames = [0, 1, 2].map((at) =>
      envelope.subarray(begin + at * FRAME, begin + (at + 1) * FRAME),
    )
    const [first = header, second = header, third = header] = frames
    const altered = Buffer.from(envelope)
    altered[begin + FRAME + 5] = (altered[begin + FRAME + 5] ?? 0) ^ 1

    for (const forged of [
      Buffer.concat([header, first, second]),
      envelope.subarray(0, -1),
      Buffer.concat([header, second, first, third]),
      Buffer.concat([header, first, first, third]),
      Buffer.concat([envelope, third]),
      altered,
    ])
      expect(await read(forged)).toMatchObject({ code: 1 })
  })

  test.each(
    vectors.vectors.flatMap(({ envelope, ...rest }) =>
      envelope === undefined ? [] : [{ ...rest, envelope }],
    ),
  )('vector, $expect: $comment', async (vector) => {
    const env = { DATA_KEY: vectors.data_key }

    const done = await read(Buffer.from(vector.envelope, 'hex'), vector.context, env)

    expect(done.code).toBe(vector.expect === 'valid' ? 0 : 1)
    if (vector.expect === 'valid') expect(done.stdout.toString('hex')).toBe(vector.plaintext)
    else expect(done.stderr).toMatch(/^refused: /)
  })
})

test('the library reads what it wrote, with the keys of the server', async () => {
  const plaintext = patternOf(MIB + 1)
  const envelope = await encrypt(plaintext)
  const decrypter = new EnvelopeDecrypter({ transit: client.transit(), key: 'backup' })

  const parts: Uint8Array[] = []
  for await (const part of decrypter.decrypt([envelope])) parts.push(part)

  expect(Buffer.compare(Buffer.concat(parts), plaintext)).toBe(0)
})

test('a derived key without a context is refused by the server', async () => {
  await expect(encrypt(patternOf(1), { key: 'tenants' })).rejects.toMatchObject({ status: 400 })
})

async function encrypt(
  plaintext: Uint8Array,
  { key = 'backup', context = {} }: { key?: string; context?: Record<string, string> } = {},
): Promise<Buffer> {
  const encrypter = new EnvelopeEncrypter({ transit: client.transit(), key, context })
  const parts: Uint8Array[] = []
  for await (const part of encrypter.encrypt([plaintext])) parts.push(part)
  return Buffer.concat(parts)
}

async function read(
  envelope: Uint8Array,
  context: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
) {
  const pairs = Object.entries(context).map(([name, value]) => `${name}=${value}`)
  const child = spawn(program, [READER, ...pairs], {
    env: {
      ...process.env,
      PYTHONUTF8: '1',
      VAULT_ADDR: server.address,
      VAULT_TOKEN: server.rootToken,
      ...env,
    },
  })
  // It ends at once where it refuses a header, and reads no more.
  child.stdin.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  child.stdin.end(envelope)
  const [stdout, stderr] = await Promise.all([
    buffer(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code: child.exitCode, stdout, stderr }
}

function patternOf(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, at) => at % 251)
}
