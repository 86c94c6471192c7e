import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { memberOf } from '../../test/support/json.ts'
import { connectionFrom } from '../client/connection.ts'
import { logParts } from '../server/log-parts.ts'
import { capture } from './debug-capture.ts'
import { serveCluster } from './on-server.fixture.ts'

const ENDED = AbortSignal.abort()

function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyhold-debug-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function startLogged() {
  const { parts, tail } = logParts({ write: () => undefined }, 'info')
  const served = await serveCluster({ nodes: 1, followLog: tail.follow })
  return { ...served, log: parts.core, tail }
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve))
}

const parsed = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

test('a bundle holds what the server told, and an index of it', async () => {
  const { run, log, tail, cluster } = await startLogged()
  const folder = testFolder()
  const output = join(folder, 'bundle.tar.gz')
  const ctrlC = new AbortController()
  const ran = run(['debug', `-output=${output}`], { interruption: ctrlC.signal })
  await until(() => tail.level === 'trace')
  log.info(`a careless line with ${cluster.rootToken} in it`)
  await new Promise((resolve) => setTimeout(resolve, 500))
  ctrlC.abort()
  const { exitCode, out } = await ran

  expect(exitCode).toBe(0)
  expect(out).toMatch(/^==> Starting debug capture\.\.\.\n +Keyhold Address: http:/)
  expect(out).toMatch(/Success! Bundle written to: \S+bundle\.tar\.gz\n$/)
  expect(statSync(output).mode & 0o777).toBe(0o600)
  execFileSync('tar', ['-xzf', output], { cwd: folder })
  const inside = join(folder, 'bundle')
  expect(readdirSync(inside).sort()).toEqual([
    'config.json',
    'host_info.json',
    'index.json',
    'keyhold.log',
    'metrics.json',
    'requests.json',
    'server_status.json',
  ])
  expect(parsed(join(inside, 'server_status.json'))).toMatchObject([
    { health: { sealed: false }, seal: { initialized: true } },
  ])
  expect(parsed(join(inside, 'index.json'))).toMatchObject({
    server_version: '1.21.0',
    duration_seconds: 120,
    errors: [],
  })
  expect(readFileSync(join(inside, 'keyhold.log'), 'utf8')).toContain(
    'a careless line with [a token] in it',
  )
})

test('nothing in it is a token or a key, though the token sees everything', async () => {
  const { run, cluster } = await startLogged()
  const folder = join(testFolder(), 'plain')
  const args = ['debug', '-compress=false', `-output=${folder}`, '-header=X-Secret=hidden']
  expect(await run(args, { interruption: ENDED })).toMatchObject({ exitCode: 0 })
  const all = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
  expect(all).toHaveLength(6)
  expect(all.join('')).not.toContain(cluster.rootToken)
  expect(all.join('')).not.toContain(cluster.unsealKeys[0])
  expect(all.join('')).not.toContain('hidden')
})

test('what the token may not see is left out and named', async () => {
  const { run, cluster } = await startLogged()
  const folder = join(testFolder(), 'plain')
  const token = await cluster.tokenWith('path "sys/host-info" { capabilities = ["read"] }')
  const args = ['debug', '-compress=false', `-output=${folder}`, '-target=config', '-target=pprof']
  const { err } = await run(args, { token, interruption: ENDED })
  expect(err).toContain('Ignoring invalid targets: pprof\n')
  expect(err).toContain('Not captured: config: * permission denied')
  expect(readdirSync(folder)).toEqual(['index.json'])
  const [error] = [memberOf(parsed(join(folder, 'index.json')), 'errors')].flat()
  expect(error).toMatchObject({ target: 'config' })
})

test('what changes is asked for again and again, until its time is over', async () => {
  const { address, cluster } = await startLogged()
  const connection = connectionFrom({ address }, {}, { token: cluster.rootToken, mode: 'send' })
  const end = new AbortController()
  const seen: string[] = []
  const captured = await capture(
    {
      targets: ['config', 'metrics', 'host'],
      intervalMs: 1e6,
      metricsIntervalMs: 1,
      logFormat: '',
    },
    end.signal,
    {
      connection,
      clock: systemClock,
      progress(target) {
        seen.push(target)
        if (seen.filter((one) => one === 'metrics').length === 3) end.abort()
      },
    },
  )
  expect(captured.entries.get('metrics')).toHaveLength(3)
  expect(captured.entries.get('host')).toHaveLength(1)
  expect(captured.entries.get('config')).toHaveLength(1)
})

test('nothing is overwritten, and spans that are too short are prolonged', async () => {
  const { run } = await startLogged()
  const folder = testFolder()
  writeFileSync(join(folder, 'a.tar.gz'), '')
  const args = ['debug', `-output=${join(folder, 'a')}`, '-duration=1s']
  const { exitCode, err } = await run(args, { interruption: ENDED })
  expect(exitCode).toBe(1)
  expect(err).toContain('-duration: 1s is too short; 5s is taken')
  expect(err).toContain('output file already exists')
})

test('without a server there is no bundle', async () => {
  const { run } = await startLogged()
  const output = join(testFolder(), 'a')
  const ran = await run(['debug', `-output=${output}`, '-address=http://127.0.0.1:1'])
  expect(ran.exitCode).toBe(1)
  expect(ran.err).toMatch(/^Error during validation: unable to connect to the server: /)
})
