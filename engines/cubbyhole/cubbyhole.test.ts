import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../test/support/kit.ts'
import { cubbyholeEngine } from './engine.ts'
import { memberOf } from '../../test/support/json.ts'

let cluster: Cluster
let token: string
beforeAll(async () => {
  cluster = await startCluster({ plugins: [cubbyholeEngine] })
  token = await newToken()
})
afterAll(() => cluster.close())

async function newToken(more: object = {}): Promise<string> {
  const body = { policies: ['default'], ...more }
  return String((await cluster.write('auth/token/create', body)).auth['client_token'])
}

const write = (path: string, body: unknown) => cluster.write(`cubbyhole/${path}`, body, { token })
const read = (path: string) => cluster.read(`cubbyhole/${path}`, { token })

test('a token reads what it wrote, and nobody else does', async () => {
  await write('a', { x: 1 })
  expect((await write('a', { z: [1, null] })).status).toBe(204)

  expect((await read('a')).data).toEqual({ z: [1, null] })
  expect((await cluster.read('cubbyhole/a')).status).toBe(404)
  expect((await cluster.read('cubbyhole/a', { token: await newToken() })).status).toBe(404)
})

test('numbers come back as they were written', async () => {
  await cluster.request('POST', 'cubbyhole/n', { text: '{"n":1.50,"big":9007199254740993}', token })
  expect((await read('n')).text).toContain('"data":{"big":9007199254740993,"n":1.50}')
})

test('folders are listed', async () => {
  const token = await newToken()
  for (const path of ['a', 'd/e']) await cluster.write(`cubbyhole/${path}`, { a: 1 }, { token })
  expect((await cluster.list('cubbyhole', { token })).data['keys']).toEqual(['a', 'd/'])
  expect((await cluster.list('cubbyhole/d', { token })).data['keys']).toEqual(['e'])
  expect((await cluster.list('cubbyhole/none', { token })).status).toBe(404)
  expect((await cluster.read('cubbyhole/d/', { token })).status).toBe(404)
})

test('a deleted secret is gone; to delete it again is no error', async () => {
  await write('gone', { a: 1 })
  for (let i = 0; i < 2; i++) {
    expect((await cluster.remove('cubbyhole/gone', { token })).status).toBe(204)
  }
  expect((await read('gone')).status).toBe(404)
})

test('a write needs fields and a path', async () => {
  expect((await write('a', {})).errors).toEqual(['1 error occurred:\n\t* missing data fields\n\n'])
  const nowhere = await cluster.write('cubbyhole', { a: 1 })
  expect([nowhere.status, nowhere.errors]).toEqual([
    400,
    ['1 error occurred:\n\t* missing path\n\n'],
  ])
})

test('a batch token has none: nothing would remove it', async () => {
  const batch = await newToken({ type: 'batch' })
  for (const method of ['GET', 'POST', 'LIST', 'DELETE']) {
    const path = method === 'LIST' ? 'cubbyhole/' : 'cubbyhole/a'
    const answer = await cluster.request(method, path, { token: batch, body: { a: 1 } })
    expect([answer.status, answer.errors]).toEqual([
      400,
      ["cubbyhole operations are only supported by 'service' type tokens"],
    ])
  }
})

test('a wrapping token reads what it holds, with a warning, once', async () => {
  await write('wrapped', { v: 1 })
  const wrapped = await cluster.read('cubbyhole/wrapped', {
    token,
    headers: { 'x-vault-wrap-ttl': '60' },
  })
  const wrapping = String(memberOf(wrapped.json, 'wrap_info', 'token'))

  const direct = await cluster.read('cubbyhole/response', { token: wrapping })

  expect(JSON.parse(String(direct.data['response']))).toMatchObject({ data: { v: 1 } })
  expect(direct.text).toContain("Reading from 'cubbyhole/response' is deprecated.")
  expect((await cluster.read('cubbyhole/response', { token: wrapping })).status).toBe(403)
})

test('with its token a secret is out of reach', async () => {
  const mortal = await newToken()
  await cluster.write('cubbyhole/d/e', { a: 1 }, { token: mortal })
  await cluster.write('auth/token/revoke', { token: mortal })
  expect((await cluster.read('cubbyhole/d/e', { token: mortal })).status).toBe(403)
})
