/** `npm run build`: compiles the sources into `dist/`, which is what the published package holds. */
import { spawnSync } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const EXECUTABLE = 0o755

rmSync(join(root, 'dist'), { recursive: true, force: true })
const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (status === 0) chmodSync(join(root, 'dist/cmd/keyhold.js'), EXECUTABLE)
process.exitCode = status ?? 1
