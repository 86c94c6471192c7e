import { expect, test } from 'vitest'
import { serveCluster } from './on-server.fixture.ts'

test('a mount and a plugin are started anew, on all nodes where that is asked for', async () => {
  const { run } = await serveCluster({ nodes: 1 })
  await run('secrets enable -path=a kv')
  expect((await run('plugin reload -mounts=a/')).out).toBe('Success! Reloaded mounts: [a/]\n')
  expect((await run('plugin reload -plugin=kv -scope=global')).out).toMatch(
    /^Success! Reloading plugin: kv, reload_id: [\w-]+\n$/,
  )
  expect(await run('plugin reload -mounts=none/')).toMatchObject({ exitCode: 2, out: '' })
})

test('what the server refuses to enter is told as the server says it', async () => {
  const { run } = await serveCluster({ nodes: 1 })
  const ran = await run('plugin register -sha256=d3f0 -args=a,b secret mine')
  expect(ran.exitCode).toBe(2)
  expect(ran.err).toMatch(/^Error registering plugin mine: Error making API request/)
})

test('the request says which file, with which arguments, is meant', async () => {
  const { run } = await serveCluster({ nodes: 1 })
  const { out } = await run(
    'plugin register -output-curl-string -sha256=d3f0 -args=a,b -version=v1.0.0 secret mine',
  )
  expect(out).toContain('-X PUT')
  expect(out).toContain(`'{"args":["a","b"],"command":"mine","sha256":"d3f0","version":"v1.0.0"}'`)
  expect(out).toContain('/v1/sys/plugins/catalog/secret/mine')
})

test('a plugin is taken out, also one that was not there', async () => {
  const { run } = await serveCluster({ nodes: 1 })
  expect((await run('plugin deregister secret mine')).out).toBe(
    'Success! Deregistered plugin (if it was registered): mine\n',
  )
})

test.each([
  ['plugin register secret mine', 1, 'please provide -sha256'],
  ['plugin register -sha256=a kv mine', 2, 'is not a supported plugin type'],
  ['plugin register -sha256=a', 1, 'Not enough arguments (expected 1 or 2, got 0)'],
  ['plugin deregister -version=one secret mine', 2, 'is not a valid semantic version'],
  ['plugin reload', 1, 'give -plugin or -mounts'],
  ['plugin reload -plugin=a -mounts=b', 1, 'give -plugin or -mounts'],
  ['plugin reload -plugin=a -scope=here', 1, 'Invalid reload scope: here'],
])('%s is refused with %i', async (words, exitCode, text) => {
  const { run } = await serveCluster({ nodes: 1 })
  expect(await run(words)).toMatchObject({ exitCode, err: expect.stringContaining(text) })
})

test('a version is pinned and unpinned', async () => {
  const { run } = await serveCluster({ nodes: 1 })
  expect(await run('plugin pin -version=v1.0.0 secret mine')).toMatchObject({
    exitCode: 2,
    err: expect.stringContaining('that version is not in the catalog') as unknown,
  })
  expect((await run('plugin unpin secret mine')).out).toBe(
    'Success! Unpinned plugin (if it was pinned): mine\n',
  )
  expect((await run('plugin pins')).out).toMatch(/^Name +Type +Version\n/)
  expect((await run('plugin pins -format=json')).out).toBe('[]\n')
  const { out } = await run('plugin pin -output-curl-string -version=v1.0.0 secret mine')
  expect(out).toMatch(/'\{"version":"v1\.0\.0"\}' .*\/v1\/sys\/plugins\/pins\/secret\/mine/)
  expect(await run('plugin pin secret mine')).toMatchObject({
    exitCode: 1,
    err: expect.stringContaining('give -version') as unknown,
  })
})
