/**
 * Who may import whom: the directions of `docs/architecture.md`, checked over every import of a relative path. Exits 1
 * and names each that goes the wrong way.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { wrongWay } from './import-rules.ts'

const IMPORT = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g
/** Fewer would mean that the check looks in the wrong place. */
const FEWEST_FILES = 200

const files = globSync('{cmd,core,engines,auth,storage}/**/*.ts')
if (files.length < FEWEST_FILES) {
  process.stderr.write(`only ${files.length} files were found: is this the project's folder?\n`)
  process.exit(1)
}
const faults = files.flatMap((file) =>
  importsOf(file).flatMap((target) => {
    const fault = wrongWay(file, target)
    return fault === undefined ? [] : [`${file} imports ${target}: ${fault}`]
  }),
)
process.stdout.write(`${files.length} files, ${faults.length} imports that go the wrong way\n`)
for (const fault of faults) process.stdout.write(`${fault}\n`)
process.exitCode = faults.length === 0 ? 0 : 1

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(IMPORT)].map(([, path = '']) => normalize(join(dirname(file), path)))
}
