import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { findImports } from './import-graph.ts'
import { wrongWay } from './import-rules.ts'

const root = mkdtempSync(join(tmpdir(), 'keyhold-imports-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Each breaks a direction, and each is written another way. */
const BROKEN: Readonly<Record<string, string>> = {
  'core/pipeline.ts': "import type { Kv } from '../engines/kv/engine.ts'",
  'core/node.ts': "import {\n  openSqlite,\n  type Sqlite,\n} from '../storage/sqlite.ts'",
  'core/kit.ts': "export * from '../test/support/kit.ts'",
  'core/late.ts': "const { run } = await import('../cmd/cli/run.ts')",
  'storage/sqlite.ts': "import '../core/clock.ts'",
  'storage/worker.ts': "const worker = new URL('../core/worker.ts', import.meta.url)",
  'engines/kv/v2/keys.ts': "export { lookup } from '../../../auth/token/engine.ts'",
  'engines/kv/engine.ts': 'import { body } from "../../core/http/body.ts"',
  'auth/approle/engine.ts': "import { findToken } from '../../core/tokens/find.ts'",
  'cmd/server/server.ts': "import { startCluster } from '../../test/support/kit.ts'",
}

test('every way to write an import in the wrong direction is caught', () => {
  for (const [file, text] of Object.entries(BROKEN)) {
    mkdirSync(join(root, dirname(file)), { recursive: true })
    writeFileSync(join(root, file), `${text}\n`)
  }

  const { files, imports } = findImports(root)

  expect(files).toBe(Object.keys(BROKEN).length)
  const caught = imports.filter(({ file, target }) => wrongWay(file, target) !== undefined)
  expect(caught.map(({ file }) => file).toSorted()).toEqual(Object.keys(BROKEN).toSorted())
})

test('the project itself is read whole', () => {
  const { files, imports } = findImports(join(import.meta.dirname, '..'))

  expect(files).toBeGreaterThan(200)
  expect(imports).toContainEqual({ file: 'cmd/keyhold.ts', target: 'cmd/server/server.ts' })
  expect(imports.length).toBeGreaterThan(files)
})
