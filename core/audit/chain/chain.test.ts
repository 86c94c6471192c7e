import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseObject } from '../../../test/support/json.ts'
import { TestClock } from '../../../test/support/clock.ts'
import { systemRandom } from '../../random.ts'
import { FileDevice } from '../file.ts'
import type { Rotation } from '../rotation.ts'
import { ChainedDevice } from './device.ts'
import { parsePublicKey, publicKeyText, signingKey } from './keys.ts'
import { CHECKPOINT_ENTRIES, MAX_UNSIGNED_ENTRIES } from './checkpoint.ts'
import { checkpointLine, signatureOf } from './checkpoint-line.ts'
import { startSigningThread } from './signer.ts'
import { ChainVerifier, type Verdict } from './verify.ts'

const SIGNING_KEY = signingKey(Buffer.alloc(32, 7))
const PUBLIC_KEY = publicKeyText(SIGNING_KEY)

let directory = ''
let path = ''
let clock: TestClock

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'audit-chain-')))
  path = join(directory, 'audit.log')
  clock = new TestClock()
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function open(rotation?: Rotation): ChainedDevice {
  const file = new FileDevice(
    { kind: 'file', path, mode: 0o600, auditDirectory: directory, rotation },
    clock,
  )
  return new ChainedDevice({ file, signingKey: SIGNING_KEY, clock, random: systemRandom })
}

const entry = (name: string) => `{"type":"request","path":"${name}"}\n`
const lines = () => readFileSync(path, 'utf8').trimEnd().split('\n')

/** One process from start to end: a checkpoint, the entries, a checkpoint. */
async function write(...names: string[]): Promise<void> {
  const device = open()
  for (const name of names) await device.write(entry(name))
  device.close()
}

function verdict(of: readonly string[] = lines(), key = PUBLIC_KEY): Verdict {
  const publicKey = parsePublicKey(key)
  if (publicKey === undefined) throw new Error('no key')
  const verifier = new ChainVerifier(publicKey)
  of.forEach((line, at) => verifier.take(line, { file: 'f', line: at + 1 }))
  return verifier.finish()
}

const findings = (of: readonly string[]) =>
  verdict(of).findings.map(({ line, text }) => `${line}: ${text}`)

describe('what is as it was written', () => {
  test('each line stays JSON, and carries its chain; a checkpoint stands before and after', async () => {
    await write('a', 'b')
    const parsed = lines().map(parseObject)
    expect(parsed.map((line) => line['type'])).toEqual([
      'checkpoint',
      'request',
      'request',
      'checkpoint',
    ])
    expect(parsed[1]).toEqual({
      type: 'request',
      path: 'a',
      chain: expect.stringMatching(/^[0-9a-f]{16}:1$/) as unknown,
    })
    expect(verdict()).toEqual({ findings: [], notes: [], intact: 2 })
  })

  test('over restarts, with several processes at once, and with entries beyond ASCII', async () => {
    await write('a', 'ä€\u2028')
    const [one, other] = [open(), open()]
    for (let i = 0; i < 5; i++) {
      await one.write(entry(`one${i}`) + entry(`one${i}b`))
      await other.write(entry(`other${i}`))
    }
    one.close()
    other.close()
    await write('c')
    expect(verdict()).toEqual({ findings: [], notes: [], intact: 18 })
  })

  test('over rotations, all files together; a later one alone says where it begins', async () => {
    const device = open({ bytes: 1_200, ageMs: undefined, maxFiles: undefined })
    for (let i = 0; i < 30; i++) {
      await device.write(entry(`e${i}`))
      clock.advance(5_000)
    }
    device.close()
    const files = readdirSync(directory)
      .filter((name) => name !== 'audit.log')
      .toSorted()
    expect(files.length).toBeGreaterThan(2)
    const all = [...files, 'audit.log'].map((name) =>
      readFileSync(join(directory, name), 'utf8').trimEnd().split('\n'),
    )
    expect(verdict(all.flat())).toEqual({ findings: [], notes: [], intact: 30 })
    for (const alone of all) expect(findings(alone)).toEqual([])
    expect(verdict(all[1]).notes[0]?.text).toContain('began in an earlier file')
  })

  test('where two processes write and rotate one file', async () => {
    const rotation = { bytes: 2_500, ageMs: undefined, maxFiles: undefined }
    const devices = [open(rotation), open(rotation)]
    for (let i = 0; i < 90; i++) {
      await devices[i % 3 === 0 ? 0 : 1]?.write(entry(`e${i}`))
      clock.advance(170)
    }
    for (const device of devices) device.close()
    const files = readdirSync(directory).filter((name) => name !== 'audit.log')
    expect(files.length).toBeGreaterThan(3)
    const all = [...files.toSorted(), 'audit.log'].flatMap((name) =>
      readFileSync(join(directory, name), 'utf8').trimEnd().split('\n'),
    )
    expect(verdict(all)).toEqual({ findings: [], notes: [], intact: 90 })
  })

  test('1024 entries are signed at once, fewer after ten seconds', async () => {
    const device = open()
    await device.write(entry('x').repeat(CHECKPOINT_ENTRIES))
    expect(verdict()).toMatchObject({ notes: [], intact: 1024 })
    await device.write(entry('y'))
    expect(verdict()).toMatchObject({ intact: 1024, notes: [{ line: 1027 }] })
    clock.advance(10_000)
    expect(verdict()).toEqual({ findings: [], notes: [], intact: 1025 })
    device.close()
  })

  test('entries of before the chain are left out, and said', async () => {
    writeFileSync(path, entry('old').repeat(3))
    await write('a')
    expect(verdict()).toMatchObject({ findings: [], intact: 1, notes: [{ line: 1 }] })
  })

  test('after writes that failed another chain begins, and both hold', async () => {
    const device = open()
    await device.write(entry('a'))
    renameSync(path, `${path}.aside`)
    mkdirSync(path)
    clock.advance(1_000)
    await expect(device.write(entry('lost'))).rejects.toThrow('is a directory')
    await expect(device.write(entry('lost too'))).rejects.toThrow('is a directory')
    rmdirSync(path)
    renameSync(`${path}.aside`, path)
    await device.write(entry('b'))
    device.close()
    const types = lines().map((line) => parseObject(line)['type'])
    // The timer's for the first entry, the end of its chain, the beginning of another.
    const between = 'checkpoint checkpoint checkpoint'
    expect(types.join(' ')).toBe(`checkpoint request ${between} request checkpoint`)
    expect(verdict()).toEqual({ findings: [], notes: [], intact: 2 })
  })
})

describe('the first entry that is not as it was written is named', () => {
  beforeEach(async () => {
    await write('a', 'b', 'c', 'd')
    await write('e')
  })
  // checkpoint, a (2), b (3), c (4), d (5), checkpoint (6), checkpoint (7), e (8), checkpoint (9)

  test('untouched, it holds', () => {
    expect(findings(lines())).toEqual([])
  })

  test.each([2, 3, 4, 5, 8])('altered: line %i', (line) => {
    const altered = lines().with(line - 1, (lines()[line - 1] ?? '').replace('request', 'Request'))
    expect(findings(altered)[0]).toMatch(new RegExp(`^${line}: entry \\d was altered`))
    expect(findings(altered)).toHaveLength(1)
  })

  test('altered in any character of any line', () => {
    lines().forEach((line, at) => {
      for (let i = 0; i < line.length; i++) {
        const other = line[i] === 'x' ? 'y' : 'x'
        const altered = lines().with(at, line.slice(0, i) + other + line.slice(i + 1))
        if (findings(altered).length === 0)
          throw new Error(`line ${at + 1}, character ${i}: not noticed`)
      }
    })
  })

  test.each([
    [2, 1],
    [3, 2],
    [5, 4],
  ])('removed: line %i', (line, number) => {
    expect(findings(lines().toSpliced(line - 1, 1))).toEqual([
      `${line}: entry ${number} was removed before this line`,
    ])
  })

  test('several removed', () => {
    expect(findings(lines().toSpliced(2, 2))).toEqual([
      '3: entries 2 to 3 were removed before this line',
    ])
  })

  test('moved, or repeated', () => {
    const [first = '', a = '', b = '', c = '', ...rest] = lines()
    expect(findings([first, a, c, b, ...rest])).toEqual(['4: entry 2 was moved here'])
    expect(findings([first, a, b, c, b, ...rest])).toEqual([
      '5: entry 2 was repeated or moved here',
    ])
  })

  test('added: with no chain, with a chain of its own, at the end of a chain that had ended', () => {
    const strange = entry('x').trimEnd()
    const own = `{"type":"request","chain":"0123456789abcdef:1"}`
    const after = (lines()[4] ?? '').replace(/:4"/, ':5"')
    expect(findings(lines().toSpliced(3, 0, strange))[0]).toMatch(/^4: .* no entry of a chain/)
    expect(findings(lines().toSpliced(3, 0, own))[0]).toMatch(/^4: .* no checkpoint begins/)
    expect(findings(lines().toSpliced(6, 0, after))[0]).toMatch(
      /^7: .* follow the end of their chain/,
    )
  })

  test('cut off within a line', () => {
    const cut = lines().with(2, (lines()[2] ?? '').slice(0, 30))
    expect(findings(cut)[0]).toMatch(/^3: .* cut off/)
  })

  test('the last lines of a chain, which the next one had seen', () => {
    expect(findings(lines().toSpliced(3, 3))[0]).toMatch(/^4: entries 3 to 4 of chain .* removed/)
  })

  test('the last checkpoint of a chain, which the next one had seen', () => {
    expect(findings(lines().toSpliced(5, 1))[0]).toMatch(/^6: chain .* was signed up to entry 4/)
  })

  test('the last checkpoint of all: its entries are said to be unsigned', () => {
    expect(verdict(lines().slice(0, -1))).toMatchObject({
      findings: [],
      notes: [{ line: 8, text: expect.stringContaining('not signed') as unknown }],
    })
  })

  test('more unsigned entries than there can be', async () => {
    rmSync(path)
    const device = open()
    await device.write(entry('x').repeat(MAX_UNSIGNED_ENTRIES))
    device.close()
    const unsigned = lines().slice(0, MAX_UNSIGNED_ENTRIES + 1)
    expect(findings(unsigned)[0]).toMatch(/^2: more entries .* unsigned/)
  })

  test('a chain as a whole', () => {
    expect(findings(lines().slice(6))[0]).toMatch(/^1: entries 1 to 4 of chain/)
  })

  test('the entries of a process that was killed are signed by the next one', async () => {
    rmSync(path)
    const killed = open()
    await killed.write(entry('a') + entry('b') + entry('c'))
    expect(verdict()).toMatchObject({ findings: [], notes: [{ line: 2 }], intact: 0 })

    await write('d')
    const [first = '', a = '', b = '', c = '', ...rest] = lines()

    expect(verdict()).toEqual({ findings: [], notes: [], intact: 4 })
    const altered = b.replace('"b"', '"x"')
    expect(findings([first, a, altered, c, ...rest])).toEqual([
      '2: entries 1 to 3 were altered or moved',
    ])
    expect(findings([first, a, c, b, ...rest])[0]).toMatch(/^2: .* altered or moved/)
    expect(findings([first, a, c, ...rest])[0]).toMatch(/^2: .* removed, moved or added/)
    expect(findings([first, a, b, ...rest])[0]).toMatch(/^4: entry 3 of chain .* removed/)
    expect(findings([first, a, b, c, c, ...rest])[0]).toMatch(/^2: .* removed, moved or added/)
    const added = c.replace(':3"', ':4"')
    expect(verdict([first, a, b, c, ...rest, added]).notes[0]).toMatchObject({ line: 8 })
  })

  test('a checkpoint: altered, removed, or of another key', async () => {
    const altered = lines().with(5, (lines()[5] ?? '').replace('"first":1', '"first":2'))
    expect(findings(altered)[0]).toMatch(/^6: this checkpoint was altered/)
    expect(findings(lines().toSpliced(0, 1))).toEqual([
      '1: the checkpoint that begins this chain was altered or removed',
    ])
    const other = publicKeyText(signingKey(Buffer.alloc(32, 8)))
    expect(verdict(lines(), other).findings[0]).toMatchObject({ line: 1 })
  })

  test('a checkpoint in the midst of a chain', async () => {
    rmSync(path)
    const device = open()
    await device.write(entry('x').repeat(CHECKPOINT_ENTRIES))
    await device.write(entry('y'))
    device.close()
    expect(findings(lines().toSpliced(1025, 1))).toEqual([
      '2: entries 1 to 1024 lost the checkpoint that signs them',
    ])
  })

  test('a checkpoint that its chain had elsewhere: of a machine that was set back to an earlier state and went on', () => {
    const chain = { id: '00112233445566ff', seen: {} }
    const first = checkpointLine(
      { ...chain, first: 1, last: 0, before: '', digests: '' },
      SIGNING_KEY,
      0,
    )
    const other = { ...chain, first: 1, last: 0, before: signatureOf(first), digests: '' }
    const follows = checkpointLine(other, SIGNING_KEY, 1)
    const follower = checkpointLine({ ...other, before: signatureOf(follows) }, SIGNING_KEY, 2)
    const file = (...of: string[]) => of.map((line) => line.trimEnd())
    expect(findings(file(first, follows, follower))).toEqual([])
    expect(findings(file(first, follower))).toEqual([
      '2: this checkpoint does not follow the one that stands before it',
    ])
  })
})

describe('with a thread that signs', () => {
  const many = (name: string, count = 100) =>
    Array.from({ length: count }, (_, i) => entry(`${name}${i}ä`)).join('')
  const checkpoints = () => lines().filter((line) => line.includes('"type":"checkpoint"')).length

  function openBeside(startThread: typeof startSigningThread = startSigningThread): ChainedDevice {
    const file = new FileDevice(
      { kind: 'file', path, mode: 0o600, auditDirectory: directory },
      clock,
    )
    const parts = { file, signingKey: SIGNING_KEY, clock, random: systemRandom }
    return new ChainedDevice({ ...parts, startThread })
  }

  test('checkpoints come while further entries do, and all holds', async () => {
    const device = openBeside()
    let written = 0
    do {
      await device.write(many(`w${written++}-`))
      await nextTurn()
    } while (checkpoints() < 5)
    device.close()
    expect(verdict()).toMatchObject({ findings: [], notes: [] })
    const at = lines().findIndex((line) => line.includes('"w3-'))
    const altered = lines().with(at, (lines()[at] ?? '').replace('request', 'Request'))
    expect(findings(altered)).toEqual([expect.stringMatching(`^${at + 1}: entry \\d+ was altered`)])
  })

  test('where it is too slow, or has died, entries are signed without it', async () => {
    const slow = () => new Worker('setInterval(() => undefined, 1000)', { eval: true })
    for (const start of [slow, () => new Worker('process.exit()', { eval: true })]) {
      rmSync(path, { force: true })
      const device = openBeside(start)
      for (let i = 0; i < 100; i++) {
        await device.write(many('w'))
        await nextTurn()
      }
      await device.write(many('m', 60_000))
      device.close()
      expect(verdict()).toEqual({ findings: [], notes: [], intact: 70_000 })
    }
  })

  test('what a thread had when it died is signed all the same', async () => {
    let died: Promise<unknown> = Promise.resolve()
    const device = openBeside(() => {
      const worker = new Worker('process.exit()', { eval: true })
      died = once(worker, 'exit')
      return worker
    })
    await device.write(many('w', CHECKPOINT_ENTRIES))
    await nextTurn()
    await died
    while (checkpoints() < 2) await nextTurn()
    await device.write(many('m', 10))
    device.close()
    expect(verdict()).toEqual({ findings: [], notes: [], intact: CHECKPOINT_ENTRIES + 10 })
  })

  test('no more entries than can be are ever unsigned', async () => {
    const device = openBeside(
      () => new Worker('setInterval(() => undefined, 1000)', { eval: true }),
    )
    await device.write(entry('x'))
    await device.write(entry('x').repeat(MAX_UNSIGNED_ENTRIES - 2))
    expect(checkpoints()).toBe(1)
    await device.write(entry('x'))
    expect(verdict()).toEqual({ findings: [], notes: [], intact: MAX_UNSIGNED_ENTRIES })
    device.close()
  })
})

test.each(['', 'x', PUBLIC_KEY.slice(1), `${PUBLIC_KEY}A`])('%j is no public key', (text) => {
  expect(parsePublicKey(text)).toBeUndefined()
})
