import { expect, test } from 'vitest'
import { systemRandom } from '../random.ts'
import { Nonces } from './nonces.ts'

test('no nonce is handed out twice, over many draws from the source', () => {
  const nonces = new Nonces(systemRandom)
  const seen = new Set<string>()
  for (let i = 0; i < 20_000; i += 1) seen.add(nonces.take().toString('hex'))
  expect(seen.size).toBe(20_000)
})

test('each byte of the source is used for one nonce only, in order', () => {
  let drawn = 0
  const bytes = (count: number) => Buffer.from(Array.from({ length: count }, () => drawn++ & 0xff))
  const nonces = new Nonces({ ...systemRandom, bytes })
  let expected = 0
  for (let i = 0; i < 1000; i += 1) {
    for (const byte of nonces.take()) expect(byte).toBe(expected++ & 0xff)
  }
})
