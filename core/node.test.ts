import { expect, test } from 'vitest'
import { startCluster } from '../test/support/kit.ts'

test('an initialised and unsealed cluster knows its root token on every node', async () => {
  const cluster = await startCluster()
  for (let i = 0; i < 4; i++) {
    const answer = await cluster.read('auth/token/lookup-self')
    expect(answer.status).toBe(200)
    expect(answer.data).toMatchObject({ id: cluster.rootToken, policies: ['root'], ttl: 0 })
  }
  await cluster.close()
})

test('a token made on one node works on the other at once, and is gone on both when it is revoked', async () => {
  const cluster = await startCluster()
  const made = await cluster.write(
    'auth/token/create',
    { policies: ['default'], ttl: '1h' },
    { node: 0 },
  )
  const token = String(made.auth['client_token'])
  expect((await cluster.read('auth/token/lookup-self', { token, node: 1 })).status).toBe(200)
  expect((await cluster.write('auth/token/revoke', { token }, { node: 1 })).status).toBe(204)
  expect((await cluster.read('auth/token/lookup-self', { token, node: 0 })).status).toBe(403)
  await cluster.close()
})

test('sealing one node seals the other before it answers again', async () => {
  const cluster = await startCluster()
  expect((await cluster.read('auth/token/lookup-self', { node: 1 })).status).toBe(200)
  expect((await cluster.write('sys/seal', {}, { node: 0 })).status).toBe(204)
  expect((await cluster.read('auth/token/lookup-self', { node: 0 })).errors).toEqual([
    'Vault is sealed',
  ])
  expect((await cluster.read('auth/token/lookup-self', { node: 1 })).errors).toEqual([
    'Vault is sealed',
  ])
  await cluster.close()
})
