import { expect, test } from 'vitest'
import { logParts } from '../server/log-parts.ts'
import { serveCluster } from './on-server.fixture.ts'

async function startLogged() {
  const { parts, tail } = logParts({ write: () => undefined }, 'info')
  const served = await serveCluster({ nodes: 1, followLog: tail.follow })
  return { ...served, log: parts.core, tail }
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve))
}

test('lines are shown as they are written, until the server ends them', async () => {
  const { run, log, tail } = await startLogged()
  const ran = run('monitor -log-level=debug')
  await until(() => tail.level === 'debug')
  log.debug('a detail')
  tail.end()
  const { exitCode, out, err } = await ran
  expect([exitCode, err]).toEqual([0, ''])
  expect(out).toMatch(/\[DEBUG\] a detail\n.*the server is sealed, which ends this stream/)
})

test('Ctrl-C ends it, as if all were said', async () => {
  const { run, log, tail } = await startLogged()
  const ctrlC = new AbortController()
  const ran = run('monitor -log-format=JSON', { interruption: ctrlC.signal })
  await until(() => tail.level === 'info')
  log.info('hello')
  await new Promise((resolve) => setTimeout(resolve, 100))
  ctrlC.abort()
  const { exitCode, out, err } = await ran
  expect([exitCode, err]).toEqual([0, ''])
  expect(JSON.parse(out)).toMatchObject({ level: 'info', msg: 'hello' })
  await until(() => tail.level === undefined)
})

test.each([
  [['-log-level=loud'], 'loud is an unknown log level. Valid log levels are: [trace debug'],
  [['-log-format=xml'], 'xml is an unknown log format. Valid log formats are: [standard json]'],
])('%j is refused', async (flags, text) => {
  const { run } = await startLogged()
  const { exitCode, err } = await run(['monitor', ...flags])
  expect([exitCode, err]).toEqual([1, expect.stringContaining(text)])
})

test('who may not read the log is told so', async () => {
  const { cluster, run } = await startLogged()
  const { exitCode, err } = await run('monitor', { token: await cluster.tokenWith('') })
  expect(exitCode).toBe(1)
  expect(err).toMatch(/^Error starting monitor: Error making API request[\s\S]*permission denied/)
})

test('the request can be shown instead of sent', async () => {
  const { run } = await startLogged()
  const { out } = await run('monitor -output-policy')
  expect(out).toBe('path "sys/monitor" {\n  capabilities = ["read"]\n}\n')
})
