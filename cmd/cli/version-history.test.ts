import { expect, test } from 'vitest'
import { serveCluster } from './on-server.fixture.ts'

test('the releases are listed, and scripts of bao get the note that they know', async () => {
  const { run } = await serveCluster({ nodes: 1 })
  const shown = await run('version-history')
  expect(shown).toMatchObject({ exitCode: 0, err: '' })
  expect(shown.out).toMatch(
    /^Version {3,}Installation Time {3,}Commit Date\n-.*\n1\.21\.0 {5}\d{4}-/,
  )

  const asBao = await run('version-history -format=json', { as: 'bao' })
  expect(asBao.err).toContain('Version tracking was added in 1.9.0.')
  expect(JSON.parse(asBao.out)).toMatchObject({ data: { keys: ['1.21.0'] } })
})
