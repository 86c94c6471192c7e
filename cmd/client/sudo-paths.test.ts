import { expect, onTestFinished, test } from 'vitest'
import { startCluster } from '../../test/support/kit.ts'
import { asksForSudo } from './sudo-paths.ts'

const CAPABILITIES = ['create', 'read', 'update', 'patch', 'delete', 'list', 'scan'] as const

test('the command line knows of each path of the server whether it asks for sudo', async () => {
  const { nodes, close } = await startCluster({
    nodes: 1,
    debugging: { rawStorage: true, introspection: true },
  })
  onTestFinished(close)
  const wrong: string[] = []
  for (const [kind, type, mount] of [
    ['secret', 'system', 'sys/'],
    ['auth', 'token', 'auth/token/'],
    ['secret', 'identity', 'identity/'],
  ] as const) {
    const declared = nodes[0]?.registry.type(kind, type)?.create({ version: undefined }).paths ?? []
    expect(declared.length).toBeGreaterThan(5)
    for (const { patterns, operations } of declared) {
      for (const { text } of patterns) {
        const path = mount + text.replaceAll(/:\w+\*?/g, 'x')
        for (const name of CAPABILITIES) {
          const facts = operations.get(name)
          if (facts !== undefined && facts.sudo !== asksForSudo(path, name)) {
            wrong.push(`${text} ${name}: ${facts.sudo}`)
          }
        }
      }
    }
  }
  expect(wrong).toEqual([])
})
