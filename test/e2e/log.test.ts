import { expect, test } from 'vitest'
import { initialize, startConfigured, stop } from './configured-server.ts'

test('the log of a server says in its own name that it opens and seals', async () => {
  const server = await startConfigured({ storage: 'inmem' })
  const { rootToken } = await initialize(server)
  await server.api('PUT', 'sys/seal', { token: rootToken })
  await stop(server)

  const { err } = await server.process.ended
  expect(err).toContain('core: the server is unsealed')
  expect(err).toContain('core: the server is sealed')
  expect(err).not.toMatch(/vault/i)
})
