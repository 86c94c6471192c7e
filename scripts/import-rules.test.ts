import { describe, expect, test } from 'vitest'
import { wrongWay } from './import-rules.ts'

describe('an import goes the wrong way', () => {
  test.each([
    ['core/pipeline.ts', 'engines/kv/engine.ts'],
    ['core/pipeline.ts', 'cmd/server/server.ts'],
    ['core/pipeline.ts', 'storage/sqlite.ts'],
    ['core/pipeline.ts', 'test/support/kit.ts'],
    ['core/pipeline.ts', 'core/http/listener.ts'],
    ['core/node.ts', 'core/http/app.ts'],
    ['core/plugin/help.ts', 'core/request/route.ts'],
    ['core/plugin/response.ts', 'core/pipeline.ts'],
    ['storage/sqlite.ts', 'core/clock.ts'],
    ['engines/kv/engine.ts', 'auth/token/engine.ts'],
    ['engines/kv/engine.ts', 'engines/system/engine.ts'],
    ['engines/kv/engine.ts', 'core/http/body.ts'],
    ['engines/kv/engine.ts', 'core/tokens/find.ts'],
    ['engines/kv/engine.ts', 'storage/contract.ts'],
    ['engines/system/engine.ts', 'core/http/listener.ts'],
    ['auth/approle/engine.ts', 'core/pipeline.ts'],
    ['clients/js/src/client.ts', 'core/json.ts'],
    ['core/pipeline.ts', 'clients/js/src/client.ts'],
    ['engines/transit/engine.ts', 'clients/js/src/client.ts'],
  ])('from %s to %s', (file, target) => {
    expect(wrongWay(file, target)).toBeTypeOf('string')
  })
})

describe('an import goes the right way', () => {
  test.each([
    ['core/pipeline.ts', 'core/errors.ts'],
    ['core/node.ts', 'storage/contract.ts'],
    ['core/pipeline.ts', 'core/http/message.ts'],
    ['core/http/app.ts', 'core/http/listener.ts'],
    ['core/request/help.ts', 'core/plugin/help.ts'],
    ['storage/sqlite.ts', 'storage/contract.ts'],
    ['engines/kv/engine.ts', 'core/plugin/plugin.ts'],
    ['engines/kv/v2/keys.ts', 'engines/kv/v2/records.ts'],
    ['engines/system/engine.ts', 'core/tokens/find.ts'],
    ['auth/token/paths/create.ts', 'core/request/authorize.ts'],
    ['cmd/server/plugins.ts', 'engines/kv/engine.ts'],
    ['cmd/cli/encrypt.ts', 'clients/js/src/main.ts'],
    ['clients/js/src/client.ts', 'clients/js/src/json.ts'],
    ['engines/kv/v2/life.test.ts', 'test/support/kit.ts'],
  ])('from %s to %s', (file, target) => {
    expect(wrongWay(file, target)).toBeUndefined()
  })
})
