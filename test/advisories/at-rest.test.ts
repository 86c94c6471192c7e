/** Who can write to the storage, and read none of it. */
import { createSecretKey, randomBytes } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { CORE_RECORDS } from '../../core/barrier/record-keys.ts'
import { openRecord, sealRecord } from '../../core/barrier/sealed-record.ts'
import { CorruptRecord } from '../../core/errors.ts'
import { startCluster } from '../support/kit.ts'

test('row 96 (CVE-2023-2197): whichever bit of the root key’s record is flipped, the answer to a share is the same', async () => {
  const cluster = await startCluster({ nodes: 1 })
  onTestFinished(() => cluster.close())
  const { storage, unsealKeys } = cluster
  const stored = await storage.get(CORE_RECORDS.rootKey)
  cluster.nodes[0]?.close()
  const answers = new Set<string>()
  for (let bit = 0; bit < (stored?.value.length ?? 0) * 8; bit++) {
    const altered = Buffer.from(stored?.value ?? '')
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    await replace(altered)
    const { status, text } = await cluster.write(
      'sys/unseal',
      { key: unsealKeys[0] },
      { token: null },
    )
    answers.add(`${status} ${text}`)
  }
  expect(answers.size, [...answers].join('\n')).toBe(1)
  await replace(stored?.value ?? Buffer.alloc(0))
  const opened = await cluster.write('sys/unseal', { key: unsealKeys[0] }, { token: null })
  expect(opened.json['sealed']).toBe(false)

  async function replace(value: Buffer) {
    const put = new Map([[CORE_RECORDS.rootKey, value]])
    await storage.commit({ expect: new Map(), put, delete: new Set() })
  }
})

test('CVE-2020-8897, CVE-2020-8911: the key of a record is bound to its place and term, and no byte of it says how it is opened', () => {
  const key = createSecretKey(randomBytes(32))
  const sealed = sealRecord(key, 7, randomBytes(12), 'a/b', 'secret')
  expect(openRecord(key, 'a/b', sealed).toString()).toBe('secret')
  const otherTerm = Buffer.from(sealed)
  otherTerm.writeUInt32BE(8)
  for (const [place, bytes] of [
    ['a/c', sealed],
    ['a/b', otherTerm],
    ['a/b', sealed.subarray(1)],
  ] as const) {
    expect(() => openRecord(key, place, bytes)).toThrow(CorruptRecord)
  }
  for (let at = 0; at < sealed.length; at++) {
    const altered = Buffer.from(sealed)
    altered[at] = (altered[at] ?? 0) ^ 0xff
    expect(() => openRecord(key, 'a/b', altered)).toThrow(CorruptRecord)
  }
})
