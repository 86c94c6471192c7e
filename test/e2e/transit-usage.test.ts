/** Limits of keys, and who used them, on a real server over SQLite. */
import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { memberOf } from '../support/json.ts'
import { startServer, type RunningServer } from '../support/server-process.ts'

test('a server that is stopped in order writes who used which key, and counts on from its last block', async () => {
  const server = await startServer({ storage: 'sqlite', shares: 1, threshold: 1 })
  const call = async ({ api }: RunningServer, method: string, path: string, body = {}) => {
    const { json } = await api(method, path, { token: server.rootToken, body })
    return json
  }
  try {
    await call(server, 'POST', 'sys/mounts/transit', { type: 'transit' })
    await call(server, 'POST', 'transit/keys/k')
    await call(server, 'POST', 'transit/encrypt/k', { plaintext: 'aGVsbG8=' })
    await server.stop({ keepDir: true })

    const again = await startServer({ storage: 'sqlite', dir: server.dir, init: false })
    await call(again, 'POST', 'sys/unseal', { key: server.unsealKeys[0] })
    const before = await call(again, 'GET', 'transit/usage/k')
    await call(again, 'POST', 'transit/encrypt/k', { plaintext: 'aGVsbG8=' })
    const after = await call(again, 'GET', 'transit/usage/k')
    await again.stop({ keepDir: true })

    const version = [before, after].map((json) => memberOf(json, 'data', 'versions', '1'))
    expect(version[0]).toMatchObject({
      operations: { encrypt: { count: 1 } },
      users: [{ display_name: 'root' }],
      reserved_operations: 4096,
    })
    expect(version[1]).toMatchObject({ reserved_operations: 8192 })
  } finally {
    rmSync(server.dir, { recursive: true, force: true })
  }
})

test('who meets the limit of a version is answered with the next one, also where many do at once', async () => {
  const server = await startServer({ storage: 'sqlite', shares: 1, threshold: 1 })
  const call = async (path: string, body = {}) =>
    (await server.api('POST', path, { token: server.rootToken, body })).json
  try {
    await call('sys/mounts/transit', { type: 'transit' })
    await call('transit/keys/k')
    await call('transit/keys/k/config', { max_operations: 40 })
    const versions = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const json = await call('transit/encrypt/k', { plaintext: 'aGVsbG8=' })
        return Number(memberOf(json, 'data', 'key_version') ?? 0)
      }),
    )
    const counts = [1, 2, 3, 4, 5].map(
      (version) => versions.filter((one) => one === version).length,
    )
    expect(counts).toEqual([40, 40, 40, 40, 40])
  } finally {
    await server.stop()
  }
})
