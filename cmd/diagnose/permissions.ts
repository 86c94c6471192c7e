/** Who may read and write files and folders of the server. */
import { accessSync, constants, statSync, type Stats } from 'node:fs'
import { failure, ok, warning, type Finding } from './finding.ts'
import type { Machine } from './machine.ts'

const OTHERS_READ = 0o004
const OTHERS_WRITE = 0o002
const GROUP_WRITE = 0o020
const STICKY = 0o1000

export interface Rules {
  /** How messages name it: `the storage file`. */
  readonly what: string
  readonly path: string
  /** Others may not even read it. */
  readonly isSecret?: boolean
  /** The server writes there. */
  readonly isWritten?: boolean
}

/** @returns findings that are not ok; none: all is well; `undefined`: it is not there */
export function faultsOf(
  { what, path, isSecret = false, isWritten = false }: Rules,
  { uid }: Pick<Machine, 'uid'>,
): readonly Finding[] | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  return [
    ...modeFaults(`${what} ${path}`, path, stats, isSecret),
    ...ownerFaults(`${what} ${path}`, path, stats, { uid, isWritten }),
    ...accessFaults(`${what} ${path}`, path, { isWritten }),
  ]
}

function modeFaults(named: string, path: string, stats: Stats, isSecret: boolean): Finding[] {
  const openFolder = stats.isDirectory() && (stats.mode & STICKY) !== 0
  if ((stats.mode & OTHERS_WRITE) !== 0 && !openFolder) {
    return [failure(`${named} may be changed by every user`, `run: chmod o-w ${path}`)]
  }
  if (isSecret && !stats.isDirectory() && (stats.mode & OTHERS_READ) !== 0) {
    return [failure(`${named} may be read by every user`, `run: chmod o-r ${path}`)]
  }
  if (isSecret && (stats.mode & GROUP_WRITE) !== 0) {
    return [warning(`${named} may be changed by its group`, `run: chmod g-w ${path}`)]
  }
  return []
}

/** Root's and its own are fine; files that the server writes must be its own. */
function ownerFaults(
  named: string,
  path: string,
  stats: Stats,
  { uid, isWritten }: { uid: number; isWritten: boolean },
): Finding[] {
  if (uid === 0 || stats.uid === uid || (stats.uid === 0 && !isWritten)) return []
  return [
    warning(
      `${named} belongs to the user ${stats.uid}, and this is the user ${uid}`,
      `run this as the user of the server, or give the file to it: chown ${uid} ${path}`,
    ),
  ]
}

function accessFaults(
  named: string,
  path: string,
  { isWritten }: { isWritten: boolean },
): Finding[] {
  const may = (mode: number): boolean => {
    try {
      accessSync(path, mode)
      return true
    } catch {
      return false
    }
  }
  const advice = 'give the user of the server the right to it, or run this as that user'
  if (!may(constants.R_OK)) return [failure(`${named} cannot be read by this user`, advice)]
  if (isWritten && !may(constants.W_OK)) {
    return [failure(`${named} cannot be written by this user`, advice)]
  }
  return []
}

/** The faults, or that there are none. */
export function orFine(faults: readonly Finding[], message: string): readonly Finding[] {
  return faults.length === 0 ? [ok(message)] : faults
}
