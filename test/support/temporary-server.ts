/** A server of somebody else that a test starts for itself: on free ports, in a folder that goes with it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../core/clock.ts'

const READY_LIMIT_MS = 60_000
const POLL_MS = 50

export interface TemporaryServer {
  /** Its folder. */
  readonly folder: string
  /** Holds it: it keeps its connections and answers nothing. */
  pause(): void
  resume(): void
  /** Ends it at once and keeps its folder, for `start`. */
  kill(): Promise<void>
  /** Starts it again, as it was. */
  start(): Promise<void>
  stop(): Promise<void>
}

export interface Startable {
  /** Part of the folder's name. */
  readonly name: string
  /** Writes what it needs into its folder. */
  prepare(folder: string): Promise<void> | void
  command(folder: string): {
    readonly program: string
    readonly args: readonly string[]
    readonly env?: Readonly<Record<string, string>>
  }
  /** Whether it answers. */
  isReady(): Promise<boolean>
  /** Ends what it leaves behind. */
  cleanUp?(folder: string): void
}

export class ServiceDidNotStart extends Error {
  override readonly name = 'ServiceDidNotStart'
}

export async function startTemporary(what: Startable): Promise<TemporaryServer> {
  const folder = mkdtempSync(join(tmpdir(), `keyhold-${what.name}-`))
  await what.prepare(folder)
  let child = await launch(what, folder)
  return {
    folder,
    pause: () => signal(child, 'SIGSTOP'),
    resume: () => signal(child, 'SIGCONT'),
    kill: () => end(child),
    async start() {
      child = await launch(what, folder)
    },
    async stop() {
      await end(child)
      what.cleanUp?.(folder)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function launch(what: Startable, folder: string): Promise<ChildProcess> {
  const { program, args, env = {} } = what.command(folder)
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that a signal reaches what its script starts.
    detached: true,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  }
  let failure = ''
  child.once('error', (error) => (failure = error.message))
  child.once('exit', (code, signal) => (failure = `it ended (${signal ?? code})`))
  const deadline = systemClock.monotonicMs() + READY_LIMIT_MS
  while (systemClock.monotonicMs() < deadline && failure === '') {
    if (await what.isReady()) return child
    await pause(POLL_MS)
  }
  await end(child)
  throw new ServiceDidNotStart(`${what.name}: ${failure || 'it does not answer'}\n${said}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  signal(child, 'SIGKILL')
  await ended
}

function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid !== undefined) process.kill(-pid, name)
}
