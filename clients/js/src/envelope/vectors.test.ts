/** The vectors of `docs/envelope-format.md`. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { KeyholdError } from '../errors.ts'
import { EnvelopeDecrypter } from './decrypter.ts'
import { EnvelopeEncrypter } from './encrypter.ts'
import { collect, patternOf, sourceOf } from './testing.fixture.ts'

const common = { comment: z.string(), context: z.record(z.string(), z.string()) }
const schema = z.object({
  data_key: z.string(),
  wrapped_key: z.string(),
  vectors: z.array(
    z.union([
      z.strictObject({
        ...common,
        expect: z.literal('valid'),
        plaintext: z.string(),
        envelope: z.string(),
      }),
      z.strictObject({
        ...common,
        expect: z.literal('valid'),
        plaintext_bytes: z.number(),
        salt: z.string(),
        envelope_sha256: z.string(),
      }),
      z.strictObject({ ...common, expect: z.literal('refused'), envelope: z.string() }),
    ]),
  ),
})

const file = new URL('../../../../test/vectors/envelope.json', import.meta.url)
const {
  data_key: dataKey,
  wrapped_key: ciphertext,
  vectors,
} = schema.parse(JSON.parse(readFileSync(file, 'utf8')))
const SALT_AT = 12
const transit = {
  dataKey: async () => ({ ciphertext, keyVersion: 1, plaintext: bytesOf(dataKey) }),
  decrypt: async () => bytesOf(dataKey),
}

test.each(vectors)('$expect: $comment', async (vector) => {
  const { context } = vector
  const decrypter = new EnvelopeDecrypter({ transit, context })
  if (vector.expect === 'refused') {
    const opened = collect(decrypter.decrypt(sourceOf(bytesOf(vector.envelope))))
    await expect(opened).rejects.toThrow(KeyholdError)
    return
  }
  const isShort = 'envelope' in vector
  const plaintext = isShort ? bytesOf(vector.plaintext) : patternOf(vector.plaintext_bytes)
  const salt = isShort
    ? bytesOf(vector.envelope).subarray(SALT_AT, SALT_AT + 32)
    : bytesOf(vector.salt)
  const encrypter = new EnvelopeEncrypter({ transit, key: 'backup', context, salt: () => salt })

  const envelope = await collect(encrypter.encrypt(sourceOf(plaintext)))

  if (isShort) expect(envelope.toString('hex')).toBe(vector.envelope)
  else expect(createHash('sha256').update(envelope).digest('hex')).toBe(vector.envelope_sha256)
  expect(Buffer.compare(await collect(decrypter.decrypt(sourceOf(envelope))), plaintext)).toBe(0)
})

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}
