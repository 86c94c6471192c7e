/**
 * The `storage` block (`backend` is its old name).
 */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readSection, text, type Section } from './config-settings.ts'
import type { StorageConfig } from './running.ts'

const FILE_NAME = 'keyhold.db'
/** What Vault's file storage always holds. */
const FOREIGN = join('core', '_keyring')

/** @throws {ConfigError} */
export function readStorage(type: string, section: Section): StorageConfig {
  switch (type) {
    case 'inmem':
    case 'inmem_ha':
      readSection(section, {})
      return { type: 'inmem' }
    case 'sqlite':
      return { type: 'sqlite', path: sqliteFile(requirePath(section)) }
    case 'file':
      return { type: 'sqlite', path: inFolder(requirePath(section), section) }
    default:
      throw section.place.error(
        `storage "${type}" is not supported; use storage "sqlite" with a path, or "inmem" to try things`,
      )
  }
}

function requirePath(section: Section): string {
  const { path } = readSection(section, { path: text })
  if (path === undefined || path === '') throw section.place.error(`${section.name} needs a path`)
  return path
}

/** A folder means the usual file in it. */
function sqliteFile(path: string): string {
  const isFolder =
    path.endsWith('/') || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  return isFolder ? join(path, FILE_NAME) : path
}

/** Vault's name for a folder of files: here it is a folder with one file. */
function inFolder(folder: string, section: Section): string {
  if (existsSync(join(folder, FOREIGN))) {
    throw section.place.error(
      `the path of ${section.name} holds the files of a Vault or OpenBao server, which cannot be read; give another folder`,
    )
  }
  return join(folder, FILE_NAME)
}
