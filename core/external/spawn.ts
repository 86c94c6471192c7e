/**
 * Starts a plugin's process: a Node that may read the plugin's files and the contract, and nothing else; that starts no
 * other process, has no environment but what was registered, and holds no key.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { assert } from '../errors.ts'
import type { PluginFiles } from './files.ts'

/** Of a plugin's heap: one that leaks ends by itself, and is started again. */
const MAX_HEAP_MB = 512
const OWNER_ONLY = 0o700
const OWNER_READS = 0o400
const PIPE = 3

const own = extname(import.meta.url)
const here = import.meta.dirname
const host = join(here, `host/main${own}`)
/** What the host and the contract are made of. */
const readable = [
  `${dirname(here)}/`,
  join(here, `../../storage/contract${own}`),
  `${dirname(fileURLToPath(import.meta.resolve('zod/package.json')))}/`,
]

export interface SpawnOptions {
  readonly args: readonly string[]
  /** `NAME=value` each. */
  readonly env: readonly string[]
  /** Where the private folder is made; `undefined`: the system's. */
  readonly temporaryDirectory: string | undefined
}

export interface Spawned {
  readonly child: ChildProcess
  readonly pipe: Duplex
  /** Removes the copy of the plugin's files. */
  remove(): void
}

/** Runs the very bytes that were verified, from a copy that is the server's alone. */
export function spawnPlugin(
  { files, entry }: PluginFiles,
  { args, env, temporaryDirectory = tmpdir() }: SpawnOptions,
): Spawned {
  const folder = mkdtempSync(join(realpathSync(temporaryDirectory), 'keyhold-plugin-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    copyInto(folder, files)
    const child = spawn(process.execPath, [...flags(folder), host, join(folder, entry), ...args], {
      cwd: folder,
      env: Object.fromEntries(env.map(pairOf)),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    const pipe = child.stdio[PIPE]
    assert(pipe instanceof Duplex, 'the pipe carries both ways')
    return { child, pipe, remove }
  } catch (error) {
    remove()
    throw error
  }
}

function flags(folder: string): string[] {
  const paths = [`${folder}/`, ...readable]
  return [
    '--permission',
    ...paths.map((path) => `--allow-fs-read=${path.endsWith('/') ? `${path}*` : path}`),
    `--max-old-space-size=${MAX_HEAP_MB}`,
    '--no-warnings',
  ]
}

function copyInto(folder: string, files: ReadonlyMap<string, Buffer>): void {
  for (const [name, bytes] of files) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY })
    writeFileSync(path, bytes, { mode: OWNER_READS, flag: 'wx' })
  }
  // A module alone is one of our time, whatever lies above its folder.
  if (!files.has('package.json')) writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=')
  return [text.slice(0, at), text.slice(at + 1)]
}
