import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { serveCluster, type ServedCluster } from './on-server.fixture.ts'
import { progressBar } from './progress.ts'
import { fakeTerminal } from './terminal.fixture.ts'

const MIB = 1_048_576

let folder: string
let run: ServedCluster['run']

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyhold-envelope-'))
  ;({ run } = await serveCluster())
  onTestFinished(() => rmSync(folder, { recursive: true }))
  await run('secrets enable transit')
  await run('write -f transit/keys/backup')
})

function file(name: string, bytes?: Uint8Array): string {
  const path = join(folder, name)
  if (bytes !== undefined) writeFileSync(path, bytes)
  return path
}

function patternOf(bytes: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, at) => at % 251))
}

test.each([0, 1, MIB, 2 * MIB + 1, 5 * MIB])('a file of %d bytes comes back', async (size) => {
  const plaintext = patternOf(size)

  const encrypted = await run(`encrypt -key=backup -out=${file('e')} ${file('f', plaintext)}`)
  const decrypted = await run(`decrypt -out=${file('d')} ${file('e')}`)

  expect([encrypted, decrypted]).toEqual(Array(2).fill({ exitCode: 0, out: '', err: '' }))
  expect(Buffer.compare(readFileSync(file('d')), plaintext)).toBe(0)
  expect(statSync(file('d')).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder).sort()).toEqual(['d', 'e', 'f'])
})

test('context, mount and key have to be those of the file', async () => {
  await run('secrets enable -path=kms/team transit')
  await run('write kms/team/keys/tenants derived=true')
  const args = '-mount=kms/team -context=tenant=acme -context=table=orders'
  await run(`encrypt ${args} -key=tenants -out=${file('e')} ${file('f', patternOf(9))}`)

  expect(await run(`decrypt ${args} -key=tenants -out=${file('d')} ${file('e')}`)).toMatchObject({
    exitCode: 0,
  })
  const less = await run(`decrypt -mount=kms/team -context=tenant=acme ${file('e')}`)
  expect(less).toMatchObject({ exitCode: 1, out: '' })
  expect(less.err).toContain('its names: table, tenant')
  const other = await run(`decrypt ${args} -key=backup ${file('e')}`)
  expect(other).toMatchObject({ exitCode: 1, out: '' })
})

test('a file that was cut off or altered is not decrypted, and what was there before stays', async () => {
  await run(`encrypt -key=backup -out=${file('e')} ${file('f', patternOf(3 * MIB))}`)
  const envelope = readFileSync(file('e'))
  const altered = Buffer.from(envelope)
  altered[2 * MIB] = (altered[2 * MIB] ?? 0) ^ 1
  file('d', Buffer.from('before'))

  for (const wrong of [envelope.subarray(0, 2 * MIB), altered, Buffer.from('no envelope')]) {
    const { exitCode, err } = await run(`decrypt -out=${file('d')} ${file('x', wrong)}`)
    expect({ exitCode, err }).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/^Error decrypting /),
    })
  }

  expect(readFileSync(file('d'), 'utf8')).toBe('before')
  expect(readdirSync(folder).sort()).toEqual(['d', 'e', 'f', 'x'])
})

test('an error after output to a pipe says that the output is not the whole', async () => {
  await run(`encrypt -key=backup -out=${file('e')} ${file('f', patternOf(9))}`)
  const cut = readFileSync(file('e')).subarray(0, -1)

  const { exitCode, err } = await run(`decrypt ${file('x', cut)}`)

  expect(exitCode).toBe(1)
  expect(err).toContain('hint: discard what was written to standard output')
})

test('standard input and output take the place of files', async () => {
  const encrypted = await run(`encrypt -key=backup -out=${file('e')} -`, { input: 'from a pipe' })
  const decrypted = await run(`decrypt ${file('e')}`)

  expect(encrypted.exitCode).toBe(0)
  expect(decrypted).toEqual({ exitCode: 0, out: 'from a pipe', err: '' })
})

test('Ctrl-C leaves nothing behind', async () => {
  const interruption = AbortSignal.abort()
  const ran = await run(`encrypt -key=backup -out=${file('e')} ${file('f', patternOf(9))}`, {
    interruption,
  })

  expect(ran).toMatchObject({ exitCode: 1, err: 'interrupted\n' })
  expect(readdirSync(folder)).toEqual(['f'])
})

test('what is wrong with the command, a file or the server is said', async () => {
  const input = file('f', patternOf(9))

  expect(await run(`encrypt ${input}`)).toMatchObject({
    exitCode: 1,
    err: '-key=NAME is missing\n',
  })
  expect(await run(`encrypt -key=a/b ${input}`)).toMatchObject({ exitCode: 1 })
  expect((await run(`decrypt ${file('none')}`)).err).toContain('none: no such file or directory')
  expect((await run(`decrypt ${folder}`)).err).toContain('is a directory')
  const refused = await run(`encrypt -key=none ${input}`)
  expect(refused).toMatchObject({ exitCode: 2 })
  expect(refused.err).toContain('encryption key not found')
  const shown = await run(`encrypt -output-curl-string -key=backup -out=${file('e')} ${input}`)
  expect(shown.out).toContain('/v1/transit/datakey/plaintext/backup')
  expect(readdirSync(folder)).toEqual(['f'])
})

test('a person sees how far it is, if it takes long enough', async () => {
  async function* halves() {
    yield Buffer.alloc(50 * MIB)
    yield Buffer.alloc(50 * MIB)
  }
  const terminal = fakeTerminal({ isTerminal: true })
  const bar = progressBar(100 * MIB, terminal)
  for await (const part of bar.watch(halves())) expect(part).toHaveLength(50 * MIB)
  bar.clear()
  expect(terminal.written.err).toBe(
    `\r\u001b[K[${'#'.repeat(20)}${'.'.repeat(20)}] 50 %\r\u001b[K[${'#'.repeat(40)}] 100 %\r\u001b[K`,
  )

  for (const [size, isTerminal] of [
    [MIB, true],
    [100 * MIB, false],
  ] as const) {
    const silent = fakeTerminal({ isTerminal })
    const none = progressBar(size, silent)
    for await (const part of none.watch(halves())) expect(part).toHaveLength(50 * MIB)
    none.clear()
    expect(silent.written.err).toBe('')
  }
})
