/**
 * The program as a person starts it: `keyhold ARGS…` as a process with a home of its own and nothing of the caller's
 * settings, its output kept, its input given. What a test starts ends with the test.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { serverCommand } from '../support/server-process.ts'

export interface Start {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** The program under another name: a path that is linked to it. */
  readonly command?: readonly [program: string, ...args: string[]]
  /** `unread`: pipes that nobody reads until `read()`. */
  readonly output?: 'read' | 'unread'
}

export interface Ended {
  /** `null`: a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** How long a test waits for what must come: far more than it takes, for a machine that is busy. */
const LIMIT_MS = 60_000

export class NotHeard extends Error {
  override readonly name = 'NotHeard'
}

export class KeyholdProcess {
  readonly #child: ChildProcess
  /** It is gone, and its output was read to the end. */
  readonly ended: Promise<Ended>
  /** It is gone; its code. */
  readonly exited: Promise<number | null>
  #out = ''
  #err = ''
  #listeners = new Set<() => void>()
  #isOver = false

  constructor(args: readonly string[], { env = {}, cwd, command, output = 'read' }: Start) {
    const [program, ...first] = command ?? serverCommand()
    this.#child = spawn(program, [...first, ...args], {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    // A command that reads no input may have ended before its input was written.
    this.#child.stdin?.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code, signal) => {
        this.#isOver = true
        this.#tell()
        resolve({ code, signal, out: this.#out, err: this.#err })
      })
    })
    this.exited = new Promise((resolve) => this.#child.once('exit', resolve))
    if (output === 'read') this.read()
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Both streams, as far as they came. */
  get text(): string {
    return this.#out + this.#err
  }

  get out(): string {
    return this.#out
  }

  get err(): string {
    return this.#err
  }

  read(): void {
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#take('out', chunk)).resume()
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#take('err', chunk)).resume()
  }

  /** Stops reading; what fills the pipes stays there. */
  pause(): void {
    this.#child.stdout?.removeAllListeners('data').pause()
    this.#child.stderr?.removeAllListeners('data').pause()
  }

  /** Closes the pipes of its output: their reader is gone. */
  leave(): void {
    this.#child.stdout?.destroy()
    this.#child.stderr?.destroy()
  }

  input(text: string): void {
    this.#child.stdin?.end(text)
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Waits until so many lines (default one) of its output match. @throws {NotHeard} it ended, or nothing came */
  async heard(pattern: RegExp, times = 1): Promise<void> {
    const all = new RegExp(pattern, 'g')
    const isHeard = (): boolean => (this.text.match(all) ?? []).length >= times
    await new Promise<void>((resolve, reject) => {
      const finish = (settle: () => void): void => {
        this.#listeners.delete(look)
        cancel()
        settle()
      }
      const fail = (why: string): void =>
        finish(() => reject(new NotHeard(`${why} before ${pattern} came:\n${this.text}`)))
      const look = (): void => {
        if (isHeard()) finish(resolve)
        else if (this.#isOver) fail('it ended')
      }
      const cancel = systemClock.after(LIMIT_MS, () => fail(`${LIMIT_MS} ms went by`))
      this.#listeners.add(look)
      look()
    })
  }

  #take(stream: 'out' | 'err', chunk: Buffer): void {
    if (stream === 'out') this.#out += chunk.toString()
    else this.#err += chunk.toString()
    this.#tell()
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** A program that goes on until it is ended; at the latest when the test is. */
export function start(args: readonly string[], options: Start = {}): KeyholdProcess {
  const running = new KeyholdProcess(args, options)
  onTestFinished(async () => {
    running.signal('SIGKILL')
    running.read()
    await running.ended
  })
  return running
}

/** A command, to its end. @param input what its standard input holds */
export function run(
  args: readonly string[],
  { input = '', ...options }: Start & { readonly input?: string } = {},
): Promise<Ended> {
  const command = start(args, options)
  command.input(input)
  return command.ended
}

/** A folder that goes with the test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyhold-e2e-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Not the settings of whoever runs the tests, nor their token file. */
function cleanEnvironment(): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(?:VAULT|BAO|KEYHOLD)_/.test(name) && name !== 'NODE_OPTIONS',
  )
  return { ...Object.fromEntries(own), HOME: '/dev/null/home' }
}
