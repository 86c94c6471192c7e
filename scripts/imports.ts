/**
 * Who may import whom: the directions of `docs/architecture.md`, over every import of the sources. Exits 1 and names
 * each that goes the wrong way.
 */
import { findImports } from './import-graph.ts'
import { wrongWay } from './import-rules.ts'

/** Fewer would mean that the check looks in the wrong place, and would pass for it. */
const FEWEST_FILES = 200

const { files, imports } = findImports(process.cwd())
const faults = imports.flatMap(({ file, target }) => {
  const fault = wrongWay(file, target)
  return fault === undefined ? [] : [`${file} imports ${target}: ${fault}`]
})
if (files < FEWEST_FILES) faults.push(`only ${files} files: is this the project's folder?`)
for (const fault of faults) process.stdout.write(`${fault}\n`)
process.stdout.write(`${files} files, ${imports.length} imports, ${faults.length} faults\n`)
process.exitCode = faults.length === 0 ? 0 : 1
