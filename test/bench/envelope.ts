/**
 * How fast envelopes are made and opened, beside `openssl enc -aes-256-ctr` on the same file: `node
 * test/bench/envelope.ts [MiB]`, 256 by default. The mark: 60 % of openssl's rate for 1 GiB, in less than 150 MB of
 * memory.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { EnvelopeDecrypter, EnvelopeEncrypter } from '../../clients/js/src/main.ts'
import { fileParts } from '../../cmd/cli/file-parts.ts'

const MIB = 1_048_576
const mib = Number(process.argv[2] ?? 256)
const key = randomBytes(32)
const ciphertext = 'vault:v1:bench'
const transit = {
  dataKey: async () => ({ ciphertext, keyVersion: 1, plaintext: Uint8Array.from(key) }),
  decrypt: async () => Uint8Array.from(key),
}

const folder = await mkdtemp(join(tmpdir(), 'keyhold-bench-'))
const plain = join(folder, 'plain')
const sealed = join(folder, 'sealed')
try {
  await write(plain, noise())
  const encrypter = new EnvelopeEncrypter({ transit, key: 'bench' })
  const decrypter = new EnvelopeDecrypter({ transit })
  await write(sealed, encrypter.encrypt(fileOf(plain)))
  const openssl = await rate(async () => runOpenssl())
  show('openssl enc -aes-256-ctr', openssl, openssl)
  show('encrypt', await rate(() => write('/dev/null', encrypter.encrypt(fileOf(plain)))), openssl)
  show('decrypt', await rate(() => write('/dev/null', decrypter.decrypt(fileOf(sealed)))), openssl)
  const { size } = await stat(sealed)
  process.stdout.write(
    `${(size - mib * MIB).toLocaleString('en')} bytes more than the plaintext, ` +
      `at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB of memory\n`,
  )
} finally {
  await rm(folder, { recursive: true })
}

function* noise(): Generator<Uint8Array> {
  const block = randomBytes(MIB)
  for (let at = 0; at < mib; at++) yield block
}

async function* fileOf(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path)
  yield* fileParts(file)
  await file.close()
}

async function write(path: string, parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  await pipeline(parts, createWriteStream(path, { highWaterMark: MIB }))
}

function runOpenssl(): void {
  const secret = ['-K', key.toString('hex'), '-iv', '00'.repeat(16)]
  spawnSync('openssl', ['enc', '-aes-256-ctr', ...secret, '-in', plain, '-out', '/dev/null'])
}

/** MB (10^6 bytes) a second, of the best of three. */
async function rate(work: () => Promise<void>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < 3; round++) {
    const startedAt = performance.now()
    await work()
    times.push(performance.now() - startedAt)
  }
  return (mib * MIB) / 1_000 / Math.min(...times)
}

function show(name: string, mbPerSecond: number, reference: number): void {
  const share = Math.round((100 * mbPerSecond) / reference)
  process.stdout.write(`${name.padEnd(26)}${Math.round(mbPerSecond)} MB/s  ${share} %\n`)
}
