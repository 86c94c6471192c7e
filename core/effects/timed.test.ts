import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { startCluster } from '../../test/support/kit.ts'
import { keysBelow } from '../../test/support/records.ts'
import { BadRequest } from '../errors.ts'
import { string } from '../plugin/fields.ts'
import { path } from '../plugin/path.ts'
import type { PluginType } from '../plugin/plugin.ts'
import { kind } from '../store/kind.ts'

const clocks = kind('test-clock', z.object({ everyMs: z.number(), dueAtMs: z.number() }).readonly())
const NAME = { name: string('Name.').default('') }

/** An engine that winds clocks in another system: each is due at a time, and again a while after it was wound. */
function clockEngine(wind: (name: string) => Promise<void> | void) {
  const state = { closed: 0, passwords: [] as string[] }
  const type: PluginType = {
    type: 'clocks',
    kind: 'secret',
    help: 'Clocks.',
    create: () => ({
      effects: { wind: {} },
      close: () => void state.closed++,
      async timed({ storage, nowMs, mount, generatePassword }) {
        for (const name of await storage.list('clock/')) {
          const clock = await storage.get(clocks, `clock/${name}`)
          if (clock === undefined || clock.dueAtMs > nowMs) continue
          state.passwords.push(await generatePassword(''))
          storage.put(clocks, `clock/${name}`, { ...clock, dueAtMs: nowMs + 10_000 })
          return {
            type: 'wind',
            path: `wind/${name}`,
            internal: {},
            async act() {
              await wind(mount.path + name)
              return (after) => {
                const dueAtMs = after.nowMs + clock.everyMs
                after.storage.put(clocks, `clock/${name}`, { ...clock, dueAtMs })
              }
            },
          }
        }
        return undefined
      },
      paths: [
        path('clock/:name', {
          summary: 'A clock',
          fields: NAME,
          operations: {
            update({ storage, data, nowMs }) {
              storage.put(clocks, `clock/${data.name}`, { everyMs: 60_000, dueAtMs: nowMs })
            },
          },
        }),
        path('password/:name', {
          summary: 'A password',
          fields: NAME,
          operations: {
            read: async ({ data, generatePassword }) => ({
              data: { password: await generatePassword(data.name === 'default' ? '' : data.name) },
            }),
          },
        }),
      ],
    }),
  }
  return { type, state }
}

async function start(wind: (name: string) => Promise<void> | void) {
  const engine = clockEngine(wind)
  const cluster = await startCluster({ plugins: [engine.type] })
  onTestFinished(() => cluster.close())
  await cluster.write('sys/mounts/a', { type: 'clocks' })
  await cluster.write('sys/mounts/b', { type: 'clocks' })
  const round = async () => {
    cluster.clock.advance('6s')
    for (const node of cluster.nodes) await node.runDuties()
  }
  return { cluster, round, ...engine }
}

test('what is due is announced, done once on one node, and due again when the engine says so', async () => {
  const wound: string[] = []
  const announced: number[] = []
  const { cluster, round, state } = await start(async (name) => {
    wound.push(name)
    announced.push((await keysBelow(cluster, 'intent/')).length)
  })
  for (const name of ['one', 'two']) await cluster.write(`a/clock/${name}`)
  await round()
  expect(wound.toSorted()).toEqual(['a/one', 'a/two'])
  expect(Math.min(...announced)).toBeGreaterThan(0)
  expect(await keysBelow(cluster, 'intent/')).toEqual([])
  await round()
  expect(wound).toHaveLength(2)
  cluster.clock.advance('1m')
  await round()
  expect(wound).toHaveLength(4)
  expect(state.passwords[0]).toMatch(/^[A-Za-z0-9-]{20}$/)
})

test('what fails is tried again, told to the log, and undone as a request would be', async () => {
  let tries = 0
  const { cluster, round } = await start(() => {
    if (++tries < 3) throw new BadRequest('the system refuses')
  })
  await cluster.write('a/clock/one')
  await round()
  expect(await keysBelow(cluster, 'intent/')).toHaveLength(1)
  for (let i = 0; i < 4; i++) await round()
  expect(tries).toBe(3)
  expect(cluster.failures.map(String)).toEqual([
    expect.stringContaining('the system refuses'),
    expect.stringContaining('the system refuses'),
  ])
})

test('a system that hangs holds up nothing but its own mount', async () => {
  const wound: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const { cluster, round } = await start((name) => {
    wound.push(name)
    return name.startsWith('a/') ? promise : undefined
  })
  for (let i = 0; i < 40; i++) await cluster.write(`a/clock/${i}`)
  await cluster.write('b/clock/one')
  const first = round()
  await expect.poll(() => wound).toContain('b/one')
  cluster.clock.advance('2s')
  await first
  expect(wound.filter((name) => name.startsWith('a/'))).toHaveLength(16)
  resolve()
  await expect.poll(() => wound.length).toBe(41)
})

test('an engine lets go of its connections when its node is sealed', async () => {
  const { cluster, state } = await start(() => undefined)
  const before = state.closed
  cluster.nodes[0]?.close()
  expect(state.closed).toBe(before + 1)
})

test('an engine makes passwords by the policies of its namespace', async () => {
  const { cluster } = await start(() => undefined)
  const policy = 'length = 12\nrule "charset" { charset = "ab" }'
  await cluster.write('sys/policies/password/short', { policy })
  expect((await cluster.read('a/password/short')).data['password']).toMatch(/^[ab]{12}$/)
  expect((await cluster.read('a/password/default')).data['password']).toMatch(/^[\w-]{20}$/)
  expect(await cluster.read('a/password/none')).toMatchObject({
    status: 400,
    errors: ['1 error occurred:\n\t* failed to generate password: no password policy found\n\n'],
  })
})
