import { afterEach, beforeEach, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../../test/support/kit.ts'
import { loggerPaths, type LogLevels } from './loggers.ts'

const INITIAL = { core: 'info', audit: 'info' }
let cluster: Cluster
let levels: Record<string, string>

const log: LogLevels = {
  levels: () => levels,
  set(name, level) {
    for (const part of name === undefined ? Object.keys(levels) : [name]) {
      levels[part] = level ?? 'info'
    }
  },
}

beforeEach(async () => {
  levels = { ...INITIAL }
  const paths = loggerPaths(log)
  cluster = await startCluster({
    plugins: [{ type: 'logs', kind: 'secret', help: 'Levels.', create: () => ({ paths }) }],
  })
  await cluster.write('sys/mounts/logs', { type: 'logs' })
})
afterEach(() => cluster.close())

test('the level of one part is shown, changed and put back', async () => {
  expect((await cluster.read('logs/loggers/core')).data).toEqual({ core: 'info' })
  expect((await cluster.write('logs/loggers/core', { level: 'Debug' })).status).toBe(204)
  expect((await cluster.read('logs/loggers')).data).toEqual({ core: 'debug', audit: 'info' })
  expect((await cluster.remove('logs/loggers/core')).status).toBe(204)
  expect((await cluster.read('logs/loggers')).data).toEqual(INITIAL)
})

test('all levels are changed and put back at once', async () => {
  await cluster.write('logs/loggers', { level: 'err' })
  expect((await cluster.read('logs/loggers')).data).toEqual({ core: 'error', audit: 'error' })
  await cluster.remove('logs/loggers')
  expect((await cluster.read('logs/loggers')).data).toEqual(INITIAL)
})

test.each(['none', 'constructor', 'toString'])('of a part %s there is no level', async (name) => {
  const answer = await cluster.read(`logs/loggers/${name}`)
  expect([answer.status, answer.data]).toEqual([200, {}])
})

test('a part that there is not is neither set nor put back', async () => {
  const refused = [
    await cluster.write('logs/loggers/toString', { level: 'debug' }),
    await cluster.remove('logs/loggers/none'),
  ]
  for (const { status, errors } of refused) {
    expect([status, errors]).toEqual([
      400,
      ['logger not found: the parts of the log are core, audit'],
    ])
  }
  expect(levels).toEqual(INITIAL)
})

test.each([
  [{}, 'level is required'],
  [
    { level: 'loud' },
    'invalid level provided: unknown log level; it is trace, debug, info, warn or error',
  ],
])('%j is no level', async (body, text) => {
  const refused = await cluster.write('logs/loggers/core', body)
  expect([refused.status, refused.errors]).toEqual([400, [text]])
  expect(levels).toEqual(INITIAL)
})
