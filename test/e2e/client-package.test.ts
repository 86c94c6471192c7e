/** `@keyhold/client` as it is published: packed, installed in a folder of its own, and used there by a program in TypeScript. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Client, EnvelopeDecrypter, EnvelopeEncrypter } from '../../clients/js/src/main.ts'
import { startDevServer, type RunningServer } from '../support/server-process.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PLAINTEXT = Buffer.alloc(2_100_000, 'what is written in one place')

let folder = ''
let server: RunningServer
let client: Client

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyhold-client-'))
  server = await startDevServer()
  client = new Client({ address: server.address, token: server.rootToken })
  await client.write('sys/mounts/transit', { type: 'transit' })
  await client.write('transit/keys/backup', { derived: true })
  // `npm test` hands on what this project says of scripts; packing builds the client.
  const options = ['--ignore-scripts=false', '--loglevel=error', `--pack-destination=${folder}`]
  const packed = run('npm', ['pack', ...options], { cwd: join(ROOT, 'clients/js') })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const archive = packed.trim().split('\n').at(-1) ?? ''
  run('npm', [
    'install',
    '--offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    `./${archive}`,
  ])
})

afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('it holds what is needed, and nothing else', () => {
  const files = readdirSync(join(folder, 'node_modules/@keyhold/client'), { recursive: true })
  const kinds = files
    .map(String)
    .filter((file) => !/^dist(?:$|\/envelope$|\/.*\.(?:js|d\.ts)$)/.test(file))

  expect(kinds.sort()).toEqual(['LICENSE', 'README.md', 'package.json'])
  expect(files.map(String).filter((file) => /test|fixture/.test(file))).toEqual([])
})

const PROGRAM = `
import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import {
  Client, EnvelopeDecrypter, EnvelopeEncrypter, ResponseError,
  type Answer, type BatchResult, type Context, type Encrypted, type Source,
} from '@keyhold/client'

const [way = '', from = '', to = ''] = process.argv.slice(2)
const client: Client = new Client({
  address: process.env['VAULT_ADDR'] ?? '', token: process.env['VAULT_TOKEN'] ?? '',
})
const transit = client.transit()
const context: Context = { tenant: 'acme' }
const work =
  way === 'encrypt'
    ? (file: Source) => new EnvelopeEncrypter({ transit, key: 'backup', context }).encrypt(file)
    : (file: Source) => new EnvelopeDecrypter({ transit, key: 'backup', context }).decrypt(file)
await pipeline(createReadStream(from), work, createWriteStream(to))

const answer: Answer | undefined = await client.read('transit/keys/backup')
const [one]: readonly BatchResult<Encrypted>[] = await transit.encryptBatch('backup', [
  { plaintext: new Uint8Array([1]), context: new Uint8Array([2]) },
])
const status: number | undefined = await client
  .write('transit/decrypt/backup', { ciphertext: 'x' })
  .then(() => undefined, (error: unknown) => (error instanceof ResponseError ? error.status : undefined))
console.log(answer?.data['type'], one?.isDone, status)
// @ts-expect-error a key is a name
void (() => new EnvelopeEncrypter({ transit, key: 1 }))
`

test('its types are taken by a strict compiler', () => {
  writeFileSync(join(folder, 'program.ts'), PROGRAM)
  const strict = [
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--skipLibCheck',
    'false',
  ]
  const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')]

  expect(run(join(ROOT, 'node_modules/.bin/tsc'), [...strict, ...types, 'program.ts'])).toBe('')
})

test('what it encrypts is decrypted by the sources, and the other way round', async () => {
  const options = { transit: client.transit(), key: 'backup', context: { tenant: 'acme' } }
  const at = (name: string) => join(folder, name)
  writeFileSync(at('plain'), PLAINTEXT)
  writeFileSync(at('taken'), await whole(new EnvelopeEncrypter(options).encrypt([PLAINTEXT])))

  const said = ['encrypt plain made', 'decrypt taken opened'].map((args) =>
    run(process.execPath, ['program.js', ...args.split(' ')]),
  )

  expect(said).toEqual(Array(2).fill('aes256-gcm96 true 400\n'))
  expect(readFileSync(at('opened')).equals(PLAINTEXT)).toBe(true)
  const made = new EnvelopeDecrypter(options).decrypt([readFileSync(at('made'))])
  expect((await whole(made)).equals(PLAINTEXT)).toBe(true)
})

async function whole(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(parts))
}

function run(command: string, args: readonly string[], { cwd = folder } = {}): string {
  const env = {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    VAULT_ADDR: server.address,
    VAULT_TOKEN: server.rootToken,
  }
  const done = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`${command}: ${done.stdout}${done.stderr}`)
  return done.stdout
}
