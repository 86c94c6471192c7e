import { expect, test } from 'vitest'
import { serveCluster } from './on-server.fixture.ts'

test('a scan lists the namespaces of all depths, a list only those right below', async () => {
  const { run } = await serveCluster({ nodes: 1 })
  expect(await run('namespace scan')).toMatchObject({ exitCode: 2, err: 'No namespaces found\n' })
  await run('namespace create a')
  await run('namespace create -namespace=a b')
  expect((await run('namespace list -format=json')).out).toBe('[\n  "a/"\n]\n')
  expect((await run('namespace scan -format=json')).out).toBe('[\n  "a/",\n  "a/b/"\n]\n')
})

test('a locked namespace is unlocked with the key that locking it printed', async () => {
  const { run } = await serveCluster({ nodes: 1 })
  await run('namespace create a')
  const locked = await run('namespace lock a')
  const [, key = ''] = /^Unlock Key: (\S+)\n/.exec(locked.out) ?? []
  expect(await run('secrets list -namespace=a')).toMatchObject({ exitCode: 2 })
  expect((await run(`namespace unlock -unlock-key=${key} a`)).out).toBe(
    'Namespace unlocked successfully!\n',
  )
  expect(await run('secrets list -namespace=a')).toMatchObject({ exitCode: 0 })
})
