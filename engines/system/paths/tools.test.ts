import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.close())

const hash = (path: string, body: object) => cluster.write(`sys/tools/hash${path}`, body)
const random = (path: string, body: object = {}) => cluster.write(`sys/tools/random${path}`, body)

async function randomBytes(path: string, body: object = {}): Promise<number> {
  const { data } = await random(path, body)
  return Buffer.from(String(data['random_bytes']), 'base64').length
}

describe('random bytes', () => {
  test.each([
    ['', {}, 32],
    ['', { bytes: 8 }, 8],
    ['', { bytes: 131_072 }, 131_072],
    ['/16', { bytes: 8 }, 16],
    ['/platform', { bytes: 5 }, 5],
    ['/all/7', {}, 7],
    ['', { source: 'seal' }, 32],
  ])('of random%s with %j are %i', async (path, body, count) => {
    expect(await randomBytes(path, body)).toBe(count)
  })

  test('come as hex too, and never twice the same', async () => {
    const texts = await Promise.all([1, 2].map(() => random('/16', { format: 'hex' })))
    const [one, other] = texts.map(({ data }) => String(data['random_bytes']))
    expect(one).toMatch(/^[0-9a-f]{32}$/)
    expect(one).not.toBe(other)
  })

  const SOURCE = 'unsupported entropy source; must be "platform" or "seal", or "all"'
  test.each([
    ['', { bytes: 0 }, "'bytes' cannot be less than 1"],
    ['', { bytes: 131_073 }, "'bytes' should be less than 131072"],
    ['/131073', {}, "'bytes' should be less than 131072"],
    ['/-1', {}, undefined],
    ['/1e9', {}, 'error parsing url-set byte count: it is a whole number'],
    ['', { format: 'octal' }, 'unsupported encoding format; must be "hex" or "base64"'],
    ['', { source: 'nowhere' }, SOURCE],
    ['/nowhere/5', {}, SOURCE],
  ])('are not given for random%s with %j', async (path, body, text) => {
    const refused = await random(path, body)
    expect(refused.status).toBe(text === undefined ? 404 : 400)
    if (text !== undefined) expect(refused.errors).toEqual([text])
  })
})

describe('a hash', () => {
  const INPUT = Buffer.from('what is hashed '.repeat(20))
  const input = INPUT.toString('base64')

  test.each([
    ['sha2-224', 'sha224'],
    ['sha2-256', 'sha256'],
    ['sha2-384', 'sha384'],
    ['sha2-512', 'sha512'],
    ['sha3-224', 'sha3-224'],
    ['sha3-256', 'sha3-256'],
    ['sha3-384', 'sha3-384'],
    ['sha3-512', 'sha3-512'],
  ])('%s is that of the bytes', async (algorithm, name) => {
    const sum = createHash(name).update(INPUT).digest('hex')
    expect((await hash('', { input, algorithm })).data).toEqual({ sum })
    expect((await hash(`/${algorithm}`, { input, algorithm: 'sha2-256' })).data).toEqual({ sum })
  })

  test('is taken of base64 in lines too, and answered as base64 if wished', async () => {
    const lines = input.replaceAll(/.{76}/g, '$&\r\n')
    const sum = createHash('sha256').update(INPUT).digest('base64')
    expect((await hash('', { input: lines, format: 'base64' })).data).toEqual({ sum })
  })

  test.each([
    [
      { input: 'not base64!' },
      'unable to decode input as base64: illegal base64 data at input byte 3',
    ],
    [{ input: 'YQ' }, 'unable to decode input as base64: illegal base64 data at input byte 0'],
    [{ input, format: 'octal' }, 'unsupported encoding format; must be "hex" or "base64"'],
  ])('is not made of %j, and the error does not repeat it', async (body, text) => {
    const refused = await hash('', body)
    expect([refused.status, refused.errors]).toEqual([400, [text]])
  })

  test.each(['md5', 'sha1', 'constructor'])('is not made with %s', async (algorithm) => {
    const refused = await hash(`/${algorithm}`, { input })
    expect(refused.status).toBe(400)
    expect(refused.errors[0]).toMatch(/^unsupported algorithm; it is one of sha2-224, /)
  })
})
