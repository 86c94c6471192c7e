/**
 * The files of a plugin: one module, or a package's folder. They are read once, and what was read is what is hashed and
 * what runs: who changes them in between changes nothing.
 *
 * Digest   of a module: the SHA-256 of its bytes. Of a package: the SHA-256 of a list, a line `<sha256>  <path>` for each
 *          file in the order of the paths' bytes, as `sha256sum` prints them.
 * Refuses  links, and what is neither file nor folder: nothing outside of the folder becomes part of a plugin.
 * Limits   so many files and bytes: a folder that was meant for something else is no plugin.
 */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, open, readdir } from 'node:fs/promises'
import { basename, extname, join, normalize } from 'node:path'
import { z } from 'zod'

const MAX_FILES = 4096
const MAX_BYTES = 32 * 1024 * 1024
const MODULES = new Set(['.js', '.mjs', '.ts', '.mts'])
/** `sha256sum` writes such names in another way. */
const ODD_NAME = /[\\\n\r]/
const PACKAGE = 'package.json'

/** These files are no plugin; the text says why. It names paths, and is for the log and the command line. */
export class NoPlugin extends Error {
  override readonly name = 'NoPlugin'
}

export interface PluginFiles {
  /** By their path in the package, with '/'. */
  readonly files: ReadonlyMap<string, Buffer>
  /** The path of the module that is loaded. */
  readonly entry: string
  /** Lower-case hex. */
  readonly sha256: string
}

/** @throws {NoPlugin} @throws an error of the file system, with its `code` */
export async function readPlugin(path: string): Promise<PluginFiles> {
  const stats = await lstat(path)
  if (stats.isSymbolicLink()) throw new NoPlugin(`${path} is a symbolic link`)
  if (stats.isFile()) return readModule(path)
  if (!stats.isDirectory()) throw new NoPlugin(`${path} is neither a file nor a folder`)
  const reading = { files: new Map<string, Buffer>(), bytes: 0 }
  await readFolder(path, '', reading)
  return {
    files: reading.files,
    entry: entryOf(path, reading.files),
    sha256: digestOfPackage(reading.files),
  }
}

async function readModule(path: string): Promise<PluginFiles> {
  if (!MODULES.has(extname(path))) {
    throw new NoPlugin(`${path} is no module: its name ends in ${[...MODULES].join(', ')}`)
  }
  const entry = basename(path)
  const bytes = await readBounded(path, MAX_BYTES)
  return { files: new Map([[entry, bytes]]), entry, sha256: sha256(bytes) }
}

interface Reading {
  readonly files: Map<string, Buffer>
  bytes: number
}

async function readFolder(root: string, below: string, reading: Reading): Promise<void> {
  for (const item of await readdir(join(root, below), { withFileTypes: true })) {
    const name = below + item.name
    if (ODD_NAME.test(item.name)) throw new NoPlugin(`the name of a file in ${root} is odd`)
    if (item.isDirectory()) {
      await readFolder(root, `${name}/`, reading)
      continue
    }
    if (!item.isFile()) {
      throw new NoPlugin(
        `${join(root, name)} is no plain file; a package holds no links: bundle what it needs`,
      )
    }
    if (reading.files.size >= MAX_FILES) {
      throw new NoPlugin(`${root} has more than ${MAX_FILES} files`)
    }
    const bytes = await readBounded(join(root, name), MAX_BYTES - reading.bytes)
    reading.bytes += bytes.length
    reading.files.set(name, bytes)
  }
}

/** A link that takes the file's place meanwhile is not followed. */
async function readBounded(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new NoPlugin(`${path} is no plain file`)
    if (stats.size > maxBytes) throw new NoPlugin(`a plugin has at most ${MAX_BYTES} bytes`)
    const bytes = await file.readFile()
    if (bytes.length > maxBytes) throw new NoPlugin(`${path} grows while it is read`)
    return bytes
  } finally {
    await file.close()
  }
}

function digestOfPackage(files: ReadonlyMap<string, Buffer>): string {
  const names = [...files].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return sha256(Buffer.from(names.map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).join('')))
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

const target = z.union([
  z.string(),
  z
    .looseObject({ import: z.string().optional(), default: z.string().optional() })
    .transform((conditions) => conditions.import ?? conditions.default),
])
const manifestSchema = z.looseObject({
  main: z.string().optional(),
  exports: z
    .union([z.string(), z.looseObject({ '.': target }).transform((paths) => paths['.']), target])
    .optional(),
})

/** What `exports` or `main` of its `package.json` names, else `index.js`. */
function entryOf(path: string, files: ReadonlyMap<string, Buffer>): string {
  const text = files.get(PACKAGE)
  if (text === undefined) throw new NoPlugin(`${path} has no ${PACKAGE}`)
  const manifest = manifestSchema.safeParse(parsed(text))
  if (!manifest.success) throw new NoPlugin(`${join(path, PACKAGE)} cannot be read`)
  const named = manifest.data.exports ?? manifest.data.main ?? 'index.js'
  const entry = normalize(named)
  if (!files.has(entry)) throw new NoPlugin(`${path} has no file ${named}, its entry`)
  return entry
}

function parsed(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
