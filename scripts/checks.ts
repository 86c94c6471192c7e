/** The static checks, in the order in which they are quick. */
import { spawnSync } from 'node:child_process'

export interface Check {
  readonly name: string
  readonly command: readonly [program: string, ...args: string[]]
}

export const CHECKS: readonly Check[] = [
  { name: 'format', command: ['oxfmt', '--check'] },
  { name: 'types', command: ['tsc', '-p', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware'] },
  { name: 'imports', command: ['node', 'scripts/imports.ts'] },
  { name: 'dead code', command: ['knip'] },
]

/** @returns whether it found nothing */
export function runCheck({ command: [program, ...args] }: Check): boolean {
  return spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
}
