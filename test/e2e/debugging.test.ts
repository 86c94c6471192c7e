/** What a configuration opens for who looks for a fault: the records themselves, and the server's view of its mounts. */
import { expect, test } from 'vitest'
import { initialize, startConfigured } from './configured-server.ts'

test('raw_storage_endpoint and introspection_endpoint open their paths, and the start says nothing of them', async () => {
  const server = await startConfigured({
    topLines: ['raw_storage_endpoint = true', 'introspection_endpoint = true'],
  })
  const { rootToken: token } = await initialize(server)

  const cluster = await server.api('GET', 'sys/raw/core/cluster', { token })
  expect(cluster.text).toContain('vault-cluster-')
  const keyring = await server.api('GET', 'sys/raw/core/keyring', { token })
  expect(keyring.status).toBe(400)
  const router = await server.api('GET', 'sys/internal/inspect/router/root', { token })
  expect(router.text).toContain('storage_prefix')
  expect(server.process.err).not.toContain('no effect')
})

test('a part of the log that is quiet leaves the others as they are', async () => {
  const server = await startConfigured()
  const { rootToken: token } = await initialize(server)
  const body = { level: 'error' }
  expect(await server.api('POST', 'sys/loggers/core', { token, body })).toMatchObject({
    status: 204,
  })

  const levels = await server.api('GET', 'sys/loggers', { token })

  expect(levels.json['data']).toEqual({
    audit: 'info',
    core: 'error',
    listener: 'info',
    plugin: 'info',
  })
})
