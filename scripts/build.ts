/** `npm run build`: compiles the sources into JavaScript in `dist/`, which `npm pack` puts into the package. */
import { spawnSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { TOOLS } from './checks.ts'

const EXECUTABLE = 0o755
const dist = join(import.meta.dirname, '../dist')

// A file whose source is gone may not stay.
rmSync(dist, { recursive: true, force: true })
// The second makes the types of what plugins import.
const done = ['tsconfig.build.json', 'tsconfig.plugin.json'].every(
  (project) => spawnSync('tsc', ['-p', project, '--noEmitOnError'], TOOLS).status === 0,
)
if (done) chmodSync(join(dist, 'cmd/keyhold.js'), EXECUTABLE)
process.exitCode = done ? 0 : 1
