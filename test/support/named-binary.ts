/**
 * The server's program under another name (`vault`, `bao`), as suites and scripts find it on their PATH.
 */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serverCommand } from './server-process.ts'

export interface NamedBinary {
  /** Where its folders are made. */
  readonly dir: string
  readonly name: string
  /** A further configuration file for each `NAME server …`: what the suite's own file does not say. */
  readonly serverConfig?: string
  /** What `NAME -version` says instead of its own, for suites that skip by it. */
  readonly version?: string
}

/** @returns the folder that holds it, to be put on a PATH */
export function namedBinary({ dir, name, serverConfig, version }: NamedBinary): string {
  const bin = join(dir, 'bin')
  const named = join(dir, 'named')
  mkdirSync(bin, { recursive: true })
  mkdirSync(named, { recursive: true })
  const [program, ...first] = serverCommand()
  // The program knows its name from the path that starts it, so it is linked under that name; the shell script in
  // front of it brings the Node that runs this test, whatever Node comes first on the caller's PATH.
  const link = join(named, name)
  symlinkSync(first[0] ?? program, link)
  const command = first.length === 0 ? `'${link}'` : `'${program}' '${link}'`
  const lines = [
    '#!/bin/sh',
    ...(serverConfig === undefined
      ? []
      : [`[ "$1" = server ] && exec ${command} "$@" '-config=${serverConfig}'`]),
    ...(version === undefined ? [] : [`[ "$1" = -version ] && echo '${version}' && exit`]),
    `exec ${command} "$@"`,
  ]
  writeFileSync(join(bin, name), `${lines.join('\n')}\n`)
  chmodSync(join(bin, name), 0o755)
  return bin
}
