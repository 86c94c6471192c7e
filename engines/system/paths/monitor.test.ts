import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApi } from '../../../core/api.ts'
import { closeListeners, startListener } from '../../../core/http/testing/test-listener.ts'
import { memberOf } from '../../../test/support/json.ts'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'
import { TooManyFollowers, type Follow } from './monitor.ts'

let cluster: Cluster
let url: string
let asked: Parameters<Follow>[0][]

const follow: Follow = (how) => {
  asked.push(how)
  if (asked.length > 3) throw new TooManyFollowers(3)
  return lines()
}
async function* lines() {
  yield 'one\n'
  yield 'two\n'
}

beforeEach(async () => {
  asked = []
  cluster = await startCluster({ nodes: 1, followLog: follow })
  const [node] = cluster.nodes
  if (node === undefined) throw new Error('a cluster has a node')
  const { port } = await startListener({}, createApi(node))
  url = `http://127.0.0.1:${port}/v1/sys/monitor`
})
afterEach(async () => {
  await closeListeners()
  await cluster.close()
})

function get(query = '', token = cluster.rootToken): Promise<Response> {
  return fetch(`${url}${query}`, { headers: { 'X-Vault-Token': token } })
}

test('the lines of the log are sent as text, until they end', async () => {
  const answer = await get()
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(await answer.text()).toBe('one\ntwo\n')
})

test.each([
  ['', { level: 'info', format: 'standard' }],
  ['?log_level=DEBUG&log_format=json', { level: 'debug', format: 'json' }],
  ['?log_level=&log_format=Standard', { level: 'info', format: 'standard' }],
] as const)('%s asks for %j', async (query, how) => {
  await (await get(query)).text()
  expect(asked).toEqual([how])
})

test.each([
  ['?log_level=loud', 'unknown log level'],
  ['?log_format=xml', 'unknown log format'],
])('%s is refused: %s', async (query, text) => {
  const answer = await get(query)
  expect(answer.status).toBe(400)
  expect(String(memberOf(await answer.json(), 'errors'))).toContain(text)
  expect(asked).toEqual([])
})

test('nobody sees the log without a policy for it', async () => {
  expect((await get('', await cluster.tokenWith(''))).status).toBe(403)
  const reader = await cluster.tokenWith('path "sys/monitor" { capabilities = ["read"] }')
  expect(await (await get('', reader)).text()).toBe('one\ntwo\n')
})

test('a wrapping token of it cannot be had: it has no end', async () => {
  const answer = await fetch(url, {
    headers: { 'X-Vault-Token': cluster.rootToken, 'X-Vault-Wrap-TTL': '60s' },
  })
  expect(await answer.text()).toBe('one\ntwo\n')
})

test('more readers than there may be are refused with 429', async () => {
  for (let i = 0; i < 3; i++) await (await get()).text()
  const answer = await get()
  expect(answer.status).toBe(429)
  expect(String(memberOf(await answer.json(), 'errors'))).toContain('end one of them first')
})
