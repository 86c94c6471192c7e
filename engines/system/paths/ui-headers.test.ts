import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'

const HEADERS = 'sys/config/ui/headers'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

test('what is set is read, one value or all of them, listed and deleted', async () => {
  await cluster.write(`${HEADERS}/X-Test`, { values: ['a', 'b'] })
  await cluster.write(`${HEADERS}/X-Other`, { values: 'one' })

  expect((await cluster.read(`${HEADERS}/X-Test`)).data).toEqual({ value: 'a' })
  expect((await cluster.read(`${HEADERS}/X-Test?multivalue=true`)).data).toEqual({
    values: ['a', 'b'],
  })
  expect((await cluster.list(HEADERS)).data).toEqual({ keys: ['X-Other', 'X-Test'] })

  expect(await cluster.remove(`${HEADERS}/X-Test`)).toMatchObject({ status: 204 })
  expect(await cluster.remove(`${HEADERS}/X-Test`)).toMatchObject({ status: 204 })
  expect(await cluster.read(`${HEADERS}/X-Test`)).toMatchObject({ status: 404, errors: [] })
  await cluster.remove(`${HEADERS}/X-Other`)
  expect(await cluster.list(HEADERS)).toMatchObject({ status: 404, errors: [] })
})

test('a header is the same in upper and lower case', async () => {
  await cluster.write(`${HEADERS}/x-FRAME-options`, { values: ['DENY'] })
  await cluster.write(`${HEADERS}/X-Frame-Options`, { values: ['SAMEORIGIN'] })

  expect((await cluster.list(HEADERS)).data).toEqual({ keys: ['X-Frame-Options'] })
  expect((await cluster.read(`${HEADERS}/x-frame-options`)).data).toEqual({ value: 'SAMEORIGIN' })
})

test('a name that objects have of themselves is a name like others', async () => {
  expect(await cluster.read(`${HEADERS}/__proto__`)).toMatchObject({ status: 404 })
  await cluster.write(`${HEADERS}/__proto__`, { values: ['a'] })
  expect((await cluster.read(`${HEADERS}/__proto__`)).data).toEqual({ value: 'a' })
})

test('whoever replaces the content security policy is warned', async () => {
  const { warnings } = (
    await cluster.write(`${HEADERS}/content-security-policy`, { values: ["default-src 'self'"] })
  ).json
  expect(warnings).toEqual([expect.stringMatching('^overriding default Content-Security-Policy')])
})

describe('refused is', () => {
  const tooLong = 'x'.repeat(8_193)

  test.each([
    ['a header without values', 'X-A', {}, 'header and values must be specified'],
    ['a header of ours', 'x-vault-token', { values: ['a'] }, 'X-Vault headers cannot be set'],
    ['a value of two lines', 'X-A', { values: ['a\r\nSet-Cookie: b'] }, /^"values" may hold print/],
    ['a value that is too long', 'X-A', { values: [tooLong] }, /^"values" may hold up to 8192/],
  ])('%s', async (_what, name, body, text) => {
    const answer = await cluster.write(`${HEADERS}/${name}`, body)
    expect(answer).toMatchObject({ status: 400, errors: [expect.stringMatching(text)] })
    expect((await cluster.list(HEADERS)).status).toBe(404)
  })

  test('one that a listener of this server sends already', async () => {
    const answer = await cluster.write(`${HEADERS}/strict-transport-security`, { values: ['a'] })
    expect(answer).toMatchObject({
      status: 400,
      errors: [expect.stringMatching('already exists in the server configuration')],
    })
  })

  test('one more than a hundred, but not another value for one of them', async () => {
    for (let i = 0; i < 100; i++) await cluster.write(`${HEADERS}/X-${i}`, { values: ['a'] })
    expect(await cluster.write(`${HEADERS}/X-100`, { values: ['a'] })).toMatchObject({
      status: 400,
    })
    expect(await cluster.write(`${HEADERS}/X-99`, { values: ['b'] })).toMatchObject({ status: 200 })
  })

  test.each(['read', 'update', 'delete', 'list'])('%s to who has no sudo', async (capability) => {
    const rule = (path: string) => `path "${path}" { capabilities = ["${capability}"] }`
    const token = await cluster.tokenWith(rule('sys/*'))
    const method = { read: 'GET', update: 'POST', delete: 'DELETE', list: 'LIST' }[capability]
    const at = capability === 'list' ? HEADERS : `${HEADERS}/X-A`
    const body = capability === 'update' ? { values: ['a'] } : undefined
    expect(await cluster.request(method ?? '', at, { token, body })).toMatchObject({ status: 403 })
  })
})
