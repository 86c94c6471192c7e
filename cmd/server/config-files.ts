/**
 * The files of a configuration, in the order in which they count: as they were named, and those of a folder by name.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { HclError } from '../../core/hcl/errors.ts'
import { parseHcl } from '../../core/hcl/parse.ts'
import { errorCode } from '../../core/http/listener-refused.ts'
import { ConfigError, Place } from './config-error.ts'
import type { Section } from './config-settings.ts'

const ENDINGS = ['.hcl', '.json']

/** @throws {ConfigError} a path misses or cannot be read, or a file is neither HCL nor JSON */
export function readFiles(paths: readonly string[]): readonly Section[] {
  return paths.flatMap(filesOf).map(readOne)
}

function filesOf(path: string): string[] {
  if (!attempt(path, () => statSync(path).isDirectory())) return [path]
  const files = attempt(path, () => readdirSync(path))
    .filter((name) => ENDINGS.some((ending) => name.endsWith(ending)))
    .sort()
  if (files.length === 0)
    throw new ConfigError(`${path}: the folder holds no file that ends in .hcl or .json`)
  return files.map((name) => join(path, name))
}

function readOne(file: string): Section {
  const text = attempt(file, () => readFileSync(file, 'utf8'))
  return { body: parse(text, file), place: new Place(file, { line: 1, column: 1 }), name: '' }
}

function parse(text: string, file: string) {
  try {
    return parseHcl(text)
  } catch (error) {
    if (!(error instanceof HclError)) throw error
    throw new Place(file, error).error(`${error.what} (column ${error.column})`)
  }
}

/** @throws {ConfigError} why it cannot be read */
function attempt<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const why = WHY[errorCode(cause)] ?? 'cannot be read'
    throw new ConfigError(`${path}: the configuration ${why}`, { cause })
  }
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist; check the path after -config',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a folder',
}
