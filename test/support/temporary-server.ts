/** A server of somebody else that a test starts for itself: on free ports, in a folder that goes with it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../core/clock.ts'

const READY_LIMIT_MS = 60_000
const POLL_MS = 50
/** The user and group `nobody` of Debian and its like. */
const NOBODY = 65_534
/** How a program is started that refuses to run as root. */
export const AS_NOBODY: { readonly uid?: number; readonly gid?: number } =
  process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}

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
  /** All that it has printed. */
  printed(): string
}

export interface Startable {
  /** Part of the folder's name. */
  readonly name: string
  /** It refuses to run as root: then it runs as nobody, whose folder it is. */
  readonly unprivileged?: boolean
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
  const { uid, gid } = what.unprivileged ? AS_NOBODY : {}
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
  await what.prepare(folder)
  const printed = { text: '' }
  let child = await launch(what, folder, printed)
  return {
    folder,
    pause: () => signal(child, 'SIGSTOP'),
    resume: () => signal(child, 'SIGCONT'),
    kill: () => end(child),
    async start() {
      child = await launch(what, folder, printed)
    },
    async stop() {
      await end(child)
      what.cleanUp?.(folder)
      rmSync(folder, { recursive: true, force: true })
    },
    printed: () => printed.text,
  }
}

async function launch(
  what: Startable,
  folder: string,
  printed: { text: string },
): Promise<ChildProcess> {
  const { program, args, env = {} } = what.command(folder)
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(what.unprivileged && AS_NOBODY),
    // A group of its own, so that a signal reaches what its script starts.
    detached: true,
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (printed.text += chunk.toString()))
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
  throw new ServiceDidNotStart(`${what.name}: ${failure || 'it does not answer'}\n${printed.text}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  signal(child, 'SIGKILL')
  await ended
}

/** Its group, and its children, which may have made groups of their own, as those of PostgreSQL do. */
function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return
  for (const one of [...childrenOf(pid), -pid]) {
    try {
      process.kill(one, name)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
}

function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}
