import { afterEach, beforeEach, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'

const POLICY = 'length = 8\nrule "charset" { charset = "ab" }'
const AT = 'sys/policies/password'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.close())

test('a password policy is written, read as it was, listed and deleted', async () => {
  expect((await cluster.list(AT)).status).toBe(404)
  expect((await cluster.write(`${AT}/p`, { policy: POLICY })).status).toBe(204)
  const lines = Buffer.from(POLICY).toString('base64').replaceAll(/.{20}/g, '$&\n')
  await cluster.write(`${AT}/team/q`, { policy: lines })
  expect((await cluster.read(`${AT}/p`)).data).toEqual({ policy: POLICY })
  expect((await cluster.read(`${AT}/team/q`)).data).toEqual({ policy: POLICY })
  expect((await cluster.list(AT)).data).toEqual({ keys: ['p', 'team/q'] })
  for (let i = 0; i < 2; i++) expect((await cluster.remove(`${AT}/p`)).status).toBe(204)
  expect((await cluster.list(AT)).data).toEqual({ keys: ['team/q'] })
})

test('passwords follow it, each another one', async () => {
  await cluster.write(`${AT}/team/p`, {
    policy: 'length = 40\nrule "charset" { charset = "abcdefgh" }',
  })
  const made = await Promise.all([1, 2].map(() => cluster.read(`${AT}/team/p/generate`)))
  const [one, other] = made.map(({ data }) => String(data['password']))
  expect(one).toMatch(/^[a-h]{40}$/)
  expect(one).not.toBe(other)
})

test.each(['', '/generate'])('what is not there has no%s answer', async (what) => {
  const answer = await cluster.read(`${AT}/none${what}`)
  expect([answer.status, answer.errors]).toEqual([
    404,
    ['1 error occurred:\n\t* policy does not exist\n\n'],
  ])
})

test.each([
  [{}, 'missing policy'],
  [
    { policy: 'length = 3\nrule "charset" { charset = "ab" }' },
    'passwords must be between 4 and 100 characters',
  ],
])('%j is refused, and what was there stays', async (body, text) => {
  await cluster.write(`${AT}/p`, { policy: POLICY })
  const refused = await cluster.write(`${AT}/p`, body)
  expect([refused.status, refused.errors]).toEqual([400, [`1 error occurred:\n\t* ${text}\n\n`]])
  expect((await cluster.read(`${AT}/p`)).data).toEqual({ policy: POLICY })
})

test.each(['p ', '%20p', 'a:b%23c'])('%s is no name of one', async (name) => {
  expect((await cluster.write(`${AT}/${encodeURI(name)}`, { policy: POLICY })).status).toBe(400)
  expect((await cluster.list(AT)).status).toBe(404)
})
