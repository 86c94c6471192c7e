/** The configuration of `operator migrate`: from which storage, to which. */
import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { blockExample, labelledBlocks } from './config-blocks.ts'
import { ConfigError } from './config-error.ts'
import { readFiles } from './config-files.ts'
import { ignored, labelled, readSection } from './config-settings.ts'
import { readStorage } from './config-storage.ts'

export interface Migration {
  /** Paths of SQLite files. */
  readonly source: string
  readonly destination: string
}

const SETTINGS = {
  storage_source: labelled,
  storage_destination: labelled,
  cluster_addr: ignored, // of raft
}

/** @throws {ConfigError} */
export function loadMigration(path: string): Migration {
  const files = readFiles([path])
  for (const file of files) readSection(file, SETTINGS)
  const pathOf = (key: string): string => {
    const blocks = labelledBlocks(files, key)
    const [block] = blocks
    if (block === undefined || blocks.length > 1)
      throw new ConfigError(`${path}: there must be one ${key}, such as ${blockExample(key)}`)
    const [type, section] = block
    const storage = readStorage(type, section)
    if (storage.type === 'sqlite') return storage.path
    throw section.place.error(`${key} is in memory, which ends with this command: use "sqlite"`)
  }
  const [source, destination] = [pathOf('storage_source'), pathOf('storage_destination')]
  if (realPath(source) === realPath(destination))
    throw new ConfigError(`${path}: storage_source and storage_destination are the same`)
  return { source, destination }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // It is not there yet.
    return resolve(path)
  }
}
