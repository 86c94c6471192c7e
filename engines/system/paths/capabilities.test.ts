import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

const SOME =
  'path "secret/a" { capabilities = ["update", "read"] } path "secret/no" { policy = "deny" }'
const self = (token: string, body: unknown) =>
  cluster.write('sys/capabilities-self', body, { token })

describe('what a token may do', () => {
  test('is listed by path, and once more for a single path', async () => {
    const token = await cluster.tokenWith(SOME)
    expect((await self(token, { paths: ['secret/a'] })).data).toEqual({
      'secret/a': ['read', 'update'],
      capabilities: ['read', 'update'],
    })
    expect((await self(token, { paths: 'secret/a,secret/no,secret/x' })).data).toEqual({
      'secret/a': ['read', 'update'],
      'secret/no': ['deny'],
      'secret/x': ['deny'],
    })
    expect((await self(token, { path: 'secret/a' })).data['capabilities']).toEqual([
      'read',
      'update',
    ])
  })

  test('is the same asked by token, by accessor and by itself', async () => {
    const token = await cluster.tokenWith(SOME)
    const { data: about } = await cluster.write('auth/token/lookup', { token })
    const paths = ['secret/a', 'secret/no']
    const own = (await self(token, { paths })).data
    expect((await cluster.write('sys/capabilities', { token, paths })).data).toEqual(own)
    const accessor = about['accessor']
    expect((await cluster.write('sys/capabilities-accessor', { accessor, paths })).data).toEqual(
      own,
    )
  })

  test('is all of it for root', async () => {
    const answer = await cluster.write('sys/capabilities-self', { paths: ['anything'] })
    expect(answer.data['capabilities']).toEqual(['root'])
  })

  test('follows a change of its policy at once, on every node', async () => {
    const token = await cluster.tokenWith(SOME)
    await cluster.write('sys/policies/acl/test-1', {
      policy: 'path "secret/a" { capabilities = ["list"] }',
    })
    for (const node of [0, 1]) {
      const { data } = await cluster.write(
        'sys/capabilities-self',
        { paths: ['secret/a'] },
        { token, node },
      )
      expect(data['capabilities']).toEqual(['list'])
    }
  })

  test('is told for paths that are called as properties of every object', async () => {
    const paths = ['__proto__', 'constructor']
    const { text } = await cluster.write('sys/capabilities-self', { paths })
    expect(text).toContain('"__proto__":["root"]')
    expect(text).toContain('"constructor":["root"]')
  })
})

describe('is refused', () => {
  const INVALID = '1 error occurred:\n\t* invalid token\n\n'
  test.each([
    ['capabilities-self', {}, 'paths must be supplied'],
    ['capabilities', { token: 'x' }, 'paths must be supplied'],
    ['capabilities', { paths: ['a'] }, '1 error occurred:\n\t* no token found\n\n'],
    ['capabilities', { paths: ['a'], token: 'hvs.none' }, INVALID],
    ['capabilities-accessor', { paths: ['a'] }, 'missing accessor'],
    [
      'capabilities-accessor',
      { paths: ['a'], accessor: 'none' },
      '1 error occurred:\n\t* invalid accessor\n\n',
    ],
  ])('%s of %j', async (path, body, text) => {
    const refused = await cluster.write(`sys/${path}`, body)
    expect([refused.status, refused.errors]).toEqual([400, [text]])
  })

  test('a token that has ended', async () => {
    const token = await cluster.tokenWith(SOME)
    await cluster.write('auth/token/revoke', { token })
    const asked = await cluster.write('sys/capabilities', { token, paths: ['secret/a'] })
    expect(asked.errors).toEqual([INVALID])
  })

  test('to whom may ask for itself only', async () => {
    const token = await cluster.tokenWith(SOME)
    const asked = await cluster.write(
      'sys/capabilities',
      { token: cluster.rootToken, paths: ['a'] },
      { token },
    )
    expect(asked.status).toBe(403)
  })
})
