/** Compiles the sources into JavaScript, as the published package holds them. */
import { spawnSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { TOOLS } from './checks.ts'

const EXECUTABLE = 0o755

/** @param folder an absolute path; what was there is gone afterwards */
export function compile(folder: string): boolean {
  rmSync(folder, { recursive: true, force: true })
  const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json', '--outDir', folder], TOOLS)
  if (status === 0) chmodSync(join(folder, 'cmd/keyhold.js'), EXECUTABLE)
  return status === 0
}
