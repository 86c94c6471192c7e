/**
 * The server's program under another name (`vault`, `bao`), as suites and scripts find it on their PATH.
 */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serverCommand } from './server-process.ts'

/** Makes `NAME` in a folder `bin` of `dir`. @returns that folder, to be put on a PATH */
export function namedBinary(dir: string, name: string): string {
  const bin = join(dir, 'bin')
  mkdirSync(bin, { recursive: true })
  const [program, script] = serverCommand()
  if (script === undefined) {
    symlinkSync(program, join(bin, name))
    return bin
  }
  // The program knows its name from the path of its script, so the script is linked under that name; the shell script
  // in front of it brings the Node that runs this test, whatever Node comes first on the caller's PATH.
  const link = join(dir, 'named', name)
  mkdirSync(join(dir, 'named'), { recursive: true })
  symlinkSync(script, link)
  writeFileSync(join(bin, name), `#!/bin/sh\nexec '${program}' '${link}' "$@"\n`)
  chmodSync(join(bin, name), 0o755)
  return bin
}
