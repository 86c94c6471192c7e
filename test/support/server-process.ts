/**
 * A server under test: a process of its own on a free loopback port, with a folder of its own.
 *
 * KEYHOLD_BIN names another program to start in its place (one that takes the same arguments).
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../core/clock.ts'
import { apiClient, type Api } from './api-client.ts'
import { freePort } from './free-port.ts'
import { renderConfig, type ServerConfig } from './server-config.ts'

export interface ServerOptions extends Partial<Omit<ServerConfig, 'port' | 'dir'>> {
  /** Keep an earlier server's folder: with storage `sqlite` this is that server, restarted. */
  readonly dir?: string
  /** false: the server is left as it came up (uninitialised, or sealed after a restart). */
  readonly init?: boolean
  readonly shares?: number
  readonly threshold?: number
  readonly env?: Readonly<Record<string, string>>
}

export interface RunningServer {
  /** `http://127.0.0.1:PORT` */
  readonly address: string
  readonly port: number
  readonly dir: string
  readonly pid: number
  readonly api: Api
  /** Empty if the server was not initialised here. */
  readonly rootToken: string
  /** Base64, as many as there are shares. */
  readonly unsealKeys: readonly string[]
  /** What it wrote to its standard output and error so far. */
  logs(): string
  /** Ends it in order (SIGTERM); removes the folder unless the caller gave or keeps it. */
  stop(options?: { keepDir?: boolean }): Promise<void>
  /** Ends it at once (SIGKILL) and keeps the folder. */
  kill(): Promise<void>
}

export class ServerDidNotStart extends Error {
  override readonly name = 'ServerDidNotStart'
}

const READY_LIMIT_MS = 30_000
const READY_POLL_MS = 15
const STOP_LIMIT_MS = 15_000
const MAIN = resolve(import.meta.dirname, '../../cmd/keyhold.ts')

/** The program to run and the arguments that come before its own. */
export function serverCommand(): readonly [program: string, ...args: string[]] {
  const other = process.env['KEYHOLD_BIN']
  return other === undefined ? [process.execPath, MAIN] : [other]
}

/** Starts `server -config=FILE` and, unless told otherwise, initialises and unseals it. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'keyhold-test-'))
  const port = await freePort()
  const file = join(dir, 'server.hcl')
  writeFileSync(file, renderConfig({ storage: 'inmem', ...options, port, dir }))
  const server = await launch({
    args: ['server', `-config=${file}`],
    port,
    dir,
    env: options.env ?? {},
  })
  const ownsDir = options.dir === undefined
  const keys = options.init === false ? undefined : await initAndUnseal(server.api, options)
  return {
    ...server,
    rootToken: keys?.rootToken ?? '',
    unsealKeys: keys?.unsealKeys ?? [],
    stop: async ({ keepDir = !ownsDir } = {}) => {
      await server.stop()
      if (!keepDir) rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Starts `server -dev`: unsealed, ready, with the root token given. */
export async function startDevServer(
  rootToken = 'root',
  flags: readonly string[] = [],
): Promise<RunningServer> {
  const dir = mkdtempSync(join(tmpdir(), 'keyhold-dev-'))
  const port = await freePort()
  const dev = ['-dev', `-dev-root-token-id=${rootToken}`, `-dev-listen-address=127.0.0.1:${port}`]
  const server = await launch({ args: ['server', ...dev, ...flags], port, dir, env: { HOME: dir } })
  await untilDevIsSaid(server.logs)
  return {
    ...server,
    rootToken,
    unsealKeys: [],
    stop: async ({ keepDir = false } = {}) => {
      await server.stop()
      if (!keepDir) rmSync(dir, { recursive: true, force: true })
    },
  }
}

interface Launch {
  readonly args: readonly string[]
  readonly port: number
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
}

async function launch({ args, port, dir, env }: Launch) {
  const [program, ...first] = serverCommand()
  const child = spawn(program, [...first, ...args], {
    cwd: dir,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let logs = ''
  child.stdout.on('data', (chunk: Buffer) => (logs += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (logs += chunk.toString()))
  const address = `http://127.0.0.1:${port}`
  const api = apiClient(address)
  await untilReady(child, api, () => logs)
  return {
    address,
    port,
    dir,
    pid: child.pid ?? 0,
    api,
    logs: () => logs,
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
  }
}

async function untilReady(child: ChildProcess, api: Api, logs: () => string): Promise<void> {
  let failure = ''
  child.once('error', (error) => (failure = error.message))
  child.once('exit', (code, signal) => (failure = `it ended (${signal ?? code})`))
  const deadline = systemClock.monotonicMs() + READY_LIMIT_MS
  while (systemClock.monotonicMs() < deadline && failure === '') {
    try {
      await api('GET', 'sys/seal-status')
      return
    } catch {
      await pause(READY_POLL_MS)
    }
  }
  child.kill('SIGKILL')
  throw new ServerDidNotStart(
    `the server did not start: ${failure || 'no answer in time'}\n${logs()}`,
  )
}

async function initAndUnseal(api: Api, { shares = 1, threshold = 1 }: ServerOptions) {
  const init = await api('POST', 'sys/init', {
    body: { secret_shares: shares, secret_threshold: threshold },
  })
  const unsealKeys = stringsOf(init.json['keys_base64'])
  const rootToken = init.json['root_token']
  if (typeof rootToken !== 'string') throw new ServerDidNotStart(`sys/init answered ${init.status}`)
  for (const key of unsealKeys.slice(0, threshold)) {
    await api('POST', 'sys/unseal', { body: { key } })
  }
  await untilActive(api)
  return { rootToken, unsealKeys }
}

/** A server may answer the last share before it serves; ours does not, the stand-in may. */
async function untilActive(api: Api): Promise<void> {
  const deadline = systemClock.monotonicMs() + READY_LIMIT_MS
  while ((await api('GET', 'sys/health')).status !== 200) {
    if (systemClock.monotonicMs() > deadline) throw new ServerDidNotStart('it stays sealed')
    await pause(READY_POLL_MS)
  }
}

/** A development server listens before it has unsealed itself and mounted `secret/`; what it says of itself comes last. */
async function untilDevIsSaid(logs: () => string): Promise<void> {
  const deadline = systemClock.monotonicMs() + READY_LIMIT_MS
  while (!logs().includes('Root Token:')) {
    if (systemClock.monotonicMs() > deadline) throw new ServerDidNotStart('it does not get ready')
    await pause(READY_POLL_MS)
  }
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value)
    ? value.filter((item): item is string => typeof item === 'string')
    : []
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  const cancel = systemClock.after(STOP_LIMIT_MS, () => child.kill('SIGKILL'))
  await exited
  cancel()
}
