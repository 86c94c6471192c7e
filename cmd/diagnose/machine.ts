/** What the checks learn of the machine; a test brings its own. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { freemem, totalmem } from 'node:os'

export interface Machine {
  /** Of `/proc`, `/sys`, `/run`; `undefined`: it is not there, or not for this user. */
  readText(path: string): Promise<string | undefined>
  /** What a program of the machine says; `undefined`: it is not there, fails, or takes longer than two seconds. */
  ask(program: string, args: readonly string[]): Promise<string | undefined>
  /** Of the user who runs this; 0 is root. */
  readonly uid: number
  readonly nowMs: number
  readonly totalMemoryBytes: number
  readonly freeMemoryBytes: number
  readonly nodeVersion: string
}

const MAX_WAIT_MS = 2000

export function thisMachine(nowMs: number): Machine {
  return {
    readText: (path) => readFile(path, 'utf8').catch(() => undefined),
    ask: (program, args) =>
      new Promise((resolve) => {
        execFile(program, args, { timeout: MAX_WAIT_MS }, (error, out) =>
          resolve(error === null ? out : undefined),
        )
      }),
    uid: process.getuid?.() ?? 0,
    nowMs,
    totalMemoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    nodeVersion: process.versions.node,
  }
}

/** `12.3 GB`. */
export function shownBytes(bytes: number): string {
  const [size, unit] = bytes >= 1e9 ? [bytes / 1e9, 'GB'] : [bytes / 1e6, 'MB']
  return `${size.toFixed(1)} ${unit}`
}
