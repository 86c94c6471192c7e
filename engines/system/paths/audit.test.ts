import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startCluster } from '../../../test/support/kit.ts'

async function start() {
  const directory = mkdtempSync(join(tmpdir(), 'audit-paths-'))
  const cluster = await startCluster({ auditDirectory: directory })
  onTestFinished(async () => {
    await cluster.close()
    rmSync(directory, { recursive: true })
  })
  const enable = (mode: string) =>
    cluster.write('sys/audit/a', { type: 'file', options: { file_path: `${directory}/a`, mode } })
  return { cluster, enable }
}

test('a mode with executable bits is taken without them, and the log says which mode it is', async () => {
  const { cluster, enable } = await start()

  expect(await enable('0777')).toMatchObject({ status: 204 })

  expect(cluster.warnings).toEqual([
    expect.stringMatching(/^audit: a\/: the audit file gets the mode 0666: /),
  ])
})

test('a mode that the file gets is no reason for a warning', async () => {
  const { cluster, enable } = await start()

  expect(await enable('0640')).toMatchObject({ status: 204 })

  expect(cluster.warnings).toEqual([])
})
