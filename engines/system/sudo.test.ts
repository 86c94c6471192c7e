import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../test/support/kit.ts'

/**
 * What asks for `sudo` beside its own capability (contract: http.md, 7.5). A path that loses it is open to whoever has
 * a policy such as `sys/*`; one that gains it locks out who could use it.
 */
const SUDO = [
  'audit read',
  'audit/:path* delete',
  'audit/:path* update',
  'auth/:path* delete',
  'auth/:path* read',
  'auth/:path* update',
  'auth/:path*/tune read',
  'auth/:path*/tune update',
  'config/auditing/request-headers read',
  'config/auditing/request-headers/:header* delete',
  'config/auditing/request-headers/:header* read',
  'config/auditing/request-headers/:header* update',
  'config/cors delete',
  'config/cors read',
  'config/cors update',
  'config/ui/headers list',
  'config/ui/headers/:header delete',
  'config/ui/headers/:header read',
  'config/ui/headers/:header update',
  'generate-root delete',
  'generate-root update',
  'generate-root-token/attempt delete',
  'generate-root-token/attempt update',
  'generate-root/attempt delete',
  'generate-root/attempt update',
  'intents read',
  'intents/:id delete',
  'intents/:id/retry update',
  'internal/inspect/request read',
  'internal/inspect/router/:tag read',
  'leases read',
  'leases/lookup list',
  'leases/lookup/:prefix* list',
  'leases/revoke-force/:prefix* update',
  'leases/revoke-prefix/:prefix* update',
  'plugins/catalog/:type list',
  'plugins/catalog/:type/:name delete',
  'plugins/catalog/:type/:name read',
  'plugins/catalog/:type/:name update',
  'plugins/pins read',
  'plugins/pins/:type/:name delete',
  'plugins/pins/:type/:name read',
  'plugins/pins/:type/:name update',
  'policies/explain update',
  'raw list',
  'raw/:path* delete',
  'raw/:path* list',
  'raw/:path* read',
  'raw/:path* update',
  'rekey/init delete',
  'rekey/init update',
  'rekey/verify delete',
  'remount update',
  'revoke-force/:prefix* update',
  'revoke-prefix/:prefix* update',
  'rotate update',
  'rotate/keyring update',
  'rotate/root update',
  'rotate/root/init delete',
  'rotate/root/init update',
  'rotate/root/verify delete',
  'seal update',
  'shares/drill delete',
  'shares/drill update',
  'step-down update',
]

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster({ nodes: 1, debugging: { rawStorage: true, introspection: true } })
})
afterAll(() => cluster.close())

function* declared() {
  const type = cluster.nodes[0]?.registry.type('secret', 'system')
  for (const path of type?.create({ version: undefined }).paths ?? []) {
    for (const { text } of path.patterns) yield { text, path }
  }
}

test('sudo is asked for where it has to be, and nowhere else', () => {
  const found: string[] = []
  for (const { text, path } of declared()) {
    for (const [operation, { sudo }] of path.operations)
      if (sudo) found.push(`${text} ${operation}`)
  }
  expect(found.toSorted()).toEqual(SUDO)
})

test('each path and each field of it says what it is', () => {
  const silent: string[] = []
  for (const { text, path } of declared()) {
    if (path.summary === '' || path.description === '') silent.push(text)
    for (const [name, { facts }] of Object.entries(path.fields)) {
      if (facts.description === '') silent.push(`${text} ${name}`)
    }
  }
  expect(silent).toEqual([])
})
