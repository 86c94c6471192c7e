/** The static checks, in the order in which they are quick. */
import { spawnSync, type SpawnSyncOptions } from 'node:child_process'
import { delimiter, join } from 'node:path'

const root = join(import.meta.dirname, '..')
/** The project's own tools and its Node come first, however this was started. */
export const TOOLS: SpawnSyncOptions = {
  cwd: root,
  env: {
    ...process.env,
    PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
  },
  stdio: ['ignore', 'inherit', 'inherit'],
}

export interface Check {
  readonly name: string
  readonly command: readonly [program: string, ...args: string[]]
}

const UNUSED_SUPPRESSIONS = '--report-unused-disable-directives-severity=error'

export const CHECKS: readonly Check[] = [
  { name: 'format', command: ['oxfmt', '--check'] },
  { name: 'types', command: ['tsc', '-p', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings', UNUSED_SUPPRESSIONS] },
  { name: 'imports', command: ['node', 'scripts/imports.ts'] },
  { name: 'dead code', command: ['knip'] },
  { name: 'tidy', command: ['vitest', 'run', '--project', 'tidy'] },
]

/** @returns whether it found nothing */
export function runCheck({ command: [program, ...args] }: Check): boolean {
  return spawnSync(program, args, TOOLS).status === 0
}
