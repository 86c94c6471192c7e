/** External plugins of a server in a process of its own: its log, its signals, and its end. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { readPlugin } from '../../core/external/files.ts'
import { memberOf } from '../support/json.ts'
import { initialize, startConfigured } from './configured-server.ts'
import { testFolder } from './keyhold-process.ts'

const PLUGIN = `
import { path } from 'keyhold/plugin'
process.stderr.write('loaded\\n')
export default {
  type: 'tried', kind: 'secret', help: '',
  create: () => ({ paths: [path('pid', { summary: '', operations: {
    read: () => ({ data: { pid: process.pid } }),
    update: () => { for (;;); },
  } })] }),
}
`

async function startWithPlugin() {
  const [plugins, copies] = [testFolder(), testFolder()]
  writeFileSync(join(plugins, 'tried.mjs'), PLUGIN)
  const server = await startConfigured({
    topLines: [
      `plugin_directory = "${plugins}"`,
      `plugin_tmpdir = "${copies}"`,
      'max_request_duration = "1s"',
    ],
  })
  const { rootToken: token } = await initialize(server)
  const { sha256 } = await readPlugin(join(plugins, 'tried.mjs'))
  const body = { sha256, command: 'tried.mjs', version: 'v1.0.0' }
  await server.api('POST', 'sys/plugins/catalog/secret/tried', { token, body })
  await server.api('POST', 'sys/mounts/at', { token, body: { type: 'tried' } })
  const read = () => server.api('GET', 'at/pid', { token })
  const pid = Number(memberOf((await read()).json, 'data', 'pid'))
  return { server, token, read, pid, copies }
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('what it prints is in the server’s log, marked, and a signal ends it with its copy', async () => {
  const { server, pid, copies } = await startWithPlugin()
  expect(pid).not.toBe(server.process.pid)
  expect(readdirSync(copies)).toHaveLength(1)
  await vi.waitFor(() => expect(server.process.err).toContain('plugin: tried printed: loaded'))

  server.process.signal('SIGTERM')
  await server.process.exited

  await vi.waitFor(() => expect(isRunning(pid)).toBe(false))
  expect(readdirSync(copies)).toEqual([])
})

test('it does not outlive a server that is killed', async () => {
  const { server, pid } = await startWithPlugin()

  server.process.signal('SIGKILL')
  await server.process.exited

  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), 10_000)
})

test('a handler that hangs is bounded by the time of its request, and the server goes on', async () => {
  const { server, token, read, pid } = await startWithPlugin()

  const hung = await server.api('POST', 'at/pid', { token, body: {} })
  const health = await server.api('GET', 'sys/health', {})

  expect([500, 503]).toContain(hung.status)
  expect(health.status).toBe(200)
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), 20_000)
  await vi.waitFor(async () => expect((await read()).status).toBe(200), 20_000)
})
