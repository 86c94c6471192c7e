/** The storage: that it is there, ours, of this schema, and can be read and written; nothing is made or changed. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { StorageRefused, StorageUnavailable } from '../../storage/contract.ts'
import { inspectFile } from '../../storage/sqlite-inspect.ts'
import type { Check, Subject } from './check.ts'
import { failure, ok, warning, type Finding } from './finding.ts'
import { shownBytes } from './machine.ts'
import { fileSystemOf } from './mounts.ts'
import { faultsOf } from './permissions.ts'

/** Room that a log of changes has before it is unusual: the server folds it in at 4 MB and more. */
const MUCH_WAL_BYTES = 512 * 1024 * 1024

export const storageCheck: Check = {
  name: 'storage',
  title: 'Storage',
  async run({ config, machine }) {
    const { storage } = config.running
    if (storage.type === 'inmem') return [IN_MEMORY]
    const { path } = storage
    const folder = dirname(path)
    const mount = await mountFindings(path, machine)
    if (!existsSync(folder)) return [...mount, ...folderToCome(folder, machine)]
    const folderFaults = faultsOf(
      { what: 'the folder of the storage', path: folder, isWritten: true },
      machine,
    )
    const around = [...mount, ...(folderFaults ?? [])]
    if (!existsSync(path)) {
      return [...around, ok(`there is no storage file ${path} yet: the first start makes it`)]
    }
    const own = { what: 'the storage file', path, isSecret: true, isWritten: true }
    return [...around, ...(faultsOf(own, machine) ?? []), inspect(path)]
  },
}

const IN_MEMORY = warning(
  'the storage is in memory: nothing that is written survives the end of the server',
  'for more than trying things, write: storage "sqlite" { path = "/var/lib/keyhold/keyhold.db" }',
)

/** The server makes the last level of the path itself. */
function folderToCome(folder: string, machine: Subject['machine']): readonly Finding[] {
  const above = dirname(folder)
  const rules = { what: 'the folder above the storage', path: above, isWritten: true }
  const faults = faultsOf(rules, machine)
  if (faults === undefined) {
    const advice = `make it, for the user of the server: mkdir -p ${folder}`
    return [failure(`the folder of the storage ${folder} does not exist`, advice)]
  }
  return [...faults, ok(`there is no folder ${folder} yet: the first start makes it`)]
}

function inspect(path: string): Finding {
  try {
    const { isBlank, records, walBytes, sqliteVersion } = inspectFile(path)
    if (isBlank) return ok(`${path} is an empty file: the first start makes a storage of it`)
    if (walBytes > MUCH_WAL_BYTES) {
      return warning(
        `${path} can be read and written, but its log of changes (-wal) has ${shownBytes(walBytes)}`,
        'something keeps the file open for long, such as a shell or a backup; end that, and it shrinks by itself',
      )
    }
    const what = records ? 'holds the records of a server' : 'holds no server yet'
    return ok(`${path} can be read and written, ${what} (SQLite ${sqliteVersion})`)
  } catch (error) {
    if (error instanceof StorageRefused) return failure(error.message, 'as it says, then start')
    if (error instanceof StorageUnavailable) return failure(error.message, 'as it says, then start')
    throw error
  }
}

/** File systems of other machines have no locks and shared memory that SQLite could count on. */
const REMOTE = /^(?:nfs|cifs|smb|9p|fuse\.|glusterfs|ceph|afs|davfs)/
/** Gone with their container or machine. */
const FLEETING = /^(?:overlay|tmpfs|ramfs)$/

async function mountFindings(path: string, machine: Subject['machine']): Promise<Finding[]> {
  const type = await fileSystemOf(dirname(path), machine)
  if (type === undefined) return []
  if (REMOTE.test(type)) {
    return [
      failure(
        `the storage lies on a file system of another machine (${type}): SQLite may lose or damage it there`,
        'put the storage on a local disk',
      ),
    ]
  }
  if (!FLEETING.test(type)) return []
  return [
    warning(
      `the storage lies on a file system (${type}) that does not outlive its container or machine`,
      'mount a volume at the folder of the storage',
    ),
  ]
}
