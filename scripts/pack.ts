/**
 * `npm run pack [-- FOLDER]`: makes the package that is published, `keyhold-VERSION.tgz`, in FOLDER or here.
 *
 * Not `npm pack` alone: its package would pull in the Node that only this repository is pinned to (189 MB beside some 20).
 * npm takes package.json as it is, so the package is put together in a folder of its own.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { TOOLS } from './checks.ts'
import { compile } from './compile.ts'

const root = join(import.meta.dirname, '..')
const UNPUBLISHED = ['scripts', 'devDependencies', 'optionalDependencies', 'workspaces']
const manifestSchema = z.looseObject({ files: z.array(z.string()) })

const target = resolve(process.argv[2] ?? '.')
const stage = mkdtempSync(join(tmpdir(), 'keyhold-pack-'))
try {
  process.exitCode = pack() ? 0 : 1
} finally {
  rmSync(stage, { recursive: true, force: true })
}

function pack(): boolean {
  if (!compile(join(stage, 'dist'))) return false
  const manifest = manifestSchema.parse(
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')),
  )
  const published = Object.entries(manifest).filter(([name]) => !UNPUBLISHED.includes(name))
  const text = JSON.stringify(Object.fromEntries(published), null, 2)
  writeFileSync(join(stage, 'package.json'), `${text}\n`)
  for (const name of manifest.files) {
    const source = join(root, name)
    if (name !== 'dist' && existsSync(source)) cpSync(source, join(stage, name))
  }
  const args = ['pack', '--ignore-scripts', '--loglevel=error', `--pack-destination=${target}`]
  return spawnSync('npm', args, { ...TOOLS, cwd: stage }).status === 0
}
