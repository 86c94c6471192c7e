/** Python environments with what a suite needs, kept in the user's cache folder, outside the repository. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export class PreparationFailed extends Error {
  override readonly name = 'PreparationFailed'
}

export interface PythonEnvironment {
  /** The interpreter. */
  readonly python: string
  /** What else is kept with it. */
  readonly cache: string
}

interface Wanted {
  /** Its folder in the cache. */
  readonly name: string
  /** What pip installs, with versions. */
  readonly requirements: readonly string[]
  /** What else it is made for: when this changes it is made anew. */
  readonly source?: string
  /** What is done with it once, after that. */
  finish?(environment: PythonEnvironment): void
}

/** @throws {PreparationFailed} Python or the registry did not do what was asked */
export function preparePython(wanted: Wanted): PythonEnvironment {
  const home = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const cache = join(home, 'keyhold', wanted.name)
  const environment = { python: join(cache, 'venv', 'bin', 'python'), cache }
  const ready = join(cache, 'ready')
  const text = [wanted.source ?? [], ...wanted.requirements].flat().join('\n')
  if (existsSync(ready) && readFileSync(ready, 'utf8') === text) return environment
  rmSync(cache, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  runToEnd('python3', ['-m', 'venv', join(cache, 'venv')])
  runToEnd(environment.python, ['-m', 'pip', 'install', '--quiet', ...wanted.requirements])
  wanted.finish?.(environment)
  writeFileSync(ready, text)
  return environment
}

/** @throws {PreparationFailed} it ended with another status than 0 */
export function runToEnd(program: string, args: readonly string[]): void {
  const done = spawnSync(program, args, { encoding: 'utf8' })
  if (done.status !== 0)
    throw new PreparationFailed(`${program} ${args.join(' ')}\n${done.stdout}${done.stderr}`)
}
