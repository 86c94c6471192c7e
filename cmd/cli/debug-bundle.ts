/** The file, or folder, that `debug` writes: named, filled, and cleared of what looks like a token. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { JsonObject } from '../../core/json.ts'
import { jsonText } from '../output/json.ts'
import type { Printable } from '../output/printable.ts'
import type { Captured, DebugTarget } from './debug-capture.ts'
import { CommandFailed, EXIT_USAGE, reasonOf } from './failure.ts'
import { tarOf } from './tar.ts'

/** What `index.json` says of the run. */
export interface About {
  readonly vault_address: string
  readonly client_version: string
  readonly server_version: string
  readonly duration_seconds: number
  readonly interval_seconds: number
  readonly metrics_interval_seconds: number
  readonly targets: readonly string[]
}

export interface Output {
  readonly path: string
  /** Undefined: the path is a folder. */
  readonly archive: { readonly folder: string } | undefined
}

/** @throws {CommandFailed} it is there already: nothing is overwritten */
export function outputOf(
  given: { readonly output: string | undefined; readonly compress: boolean },
  program: string,
  nowMs: number,
): Output {
  const time = new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-')
  const named = (given.output ?? '').replace(/\/+$/, '') || `${program}-debug-${time}Z`
  const bare = named.replace(/\.(?:tar\.gz|tgz)$/, '')
  const path = given.compress && bare === named ? `${named}.tar.gz` : named
  if (existsSync(path))
    throw new CommandFailed(
      `Error during validation: output ${given.compress ? 'file' : 'directory'} already exists: ${path}`,
      EXIT_USAGE,
    )
  return { path, archive: given.compress ? { folder: basename(bare) } : undefined }
}

const FILES: Readonly<Record<Exclude<DebugTarget, 'log'>, string>> = {
  config: 'config.json',
  host: 'host_info.json',
  requests: 'requests.json',
  metrics: 'metrics.json',
  'server-status': 'server_status.json',
}

export type Files = readonly { readonly name: string; readonly content: string }[]

export function filesOf(
  { entries, log, errors }: Captured,
  about: Readonly<Record<string, Printable>> & About,
  logFile: string,
): Files {
  const files = Object.entries(FILES).flatMap(([target, name]) => {
    const told = [...entries].find(([captured]) => captured === target)?.[1]
    return told === undefined ? [] : [{ name, content: jsonFile([...told]) }]
  })
  if (log !== '') files.push({ name: logFile, content: log })
  const index = {
    version: 1,
    ...about,
    output: { files: files.map(({ name }) => name) },
    errors: errors.map((error): JsonObject => ({ ...error })),
  }
  files.push({ name: 'index.json', content: jsonFile(new Map(Object.entries(index))) })
  return files.map(({ name, content }) => ({ name, content: withoutTokens(content) }))
}

function jsonFile(value: Printable): string {
  return `${jsonText(value)}\n`
}

/** What looks like a token of Vault's, of any age. */
function withoutTokens(content: string): string {
  return content.replaceAll(/\b(?:hv)?[sbr]\.[\w-]{20,}/g, '[a token]')
}

/** Readable by their owner only. @throws {CommandFailed} */
export function writeBundle({ path, archive }: Output, files: Files, nowMs: number): void {
  try {
    if (archive !== undefined) {
      const inFolder = files.map(({ name, content }) => ({
        name: `${archive.folder}/${name}`,
        content,
      }))
      return writeFileSync(path, gzipSync(tarOf(inFolder, nowMs)), { mode: 0o600, flag: 'wx' })
    }
    mkdirSync(path, { mode: 0o700, recursive: true })
    for (const { name, content } of files)
      writeFileSync(join(path, name), content, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    throw new CommandFailed(`Error writing ${path}: ${reasonOf(cause)}`, EXIT_USAGE, { cause })
  }
}
