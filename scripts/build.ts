/** `npm run build`: compiles the sources into JavaScript in `dist/`, which `npm pack` puts into the package. */
import { spawnSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { TOOLS } from './checks.ts'

const EXECUTABLE = 0o755
const dist = join(import.meta.dirname, '../dist')

// A file whose source is gone may not stay.
rmSync(dist, { recursive: true, force: true })
const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json', '--noEmitOnError'], TOOLS)
if (status === 0) chmodSync(join(dist, 'cmd/keyhold.js'), EXECUTABLE)
process.exitCode = status ?? 1
