/** A Python that has the package `cryptography`: the machine's, or one in the user's cache folder. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { missing } from '../../support/outside.ts'

const CRYPTOGRAPHY = 'cryptography==50.0.2'

/** @returns the program, or why there is none */
export function findPython(): { program: string } | { missing: string } {
  if (succeeds('python3', ['-c', 'import cryptography'])) return { program: 'python3' }
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const folder = join(cache, 'keyhold', 'envelope')
  const program = join(folder, 'bin', 'python')
  const isReady =
    (existsSync(program) || succeeds('python3', ['-m', 'venv', folder])) &&
    succeeds(program, ['-m', 'pip', 'install', '--quiet', CRYPTOGRAPHY])
  return isReady
    ? { program }
    : { missing: missing(`Python 3.8 or newer with ${CRYPTOGRAPHY} cannot be had`) }
}

function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}
