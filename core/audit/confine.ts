/**
 * Keeps audit files inside the one directory that the server's configuration names, so that whoever may enable a device
 * cannot write to other files of the machine (the class of HCSEC-2025-14).
 */
import { realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, sep } from 'node:path'
import { BadRequest } from '../errors.ts'

/** Longest path that Linux takes, in bytes. */
const MAX_PATH_BYTES = 4096

/**
 * Where the file really lies: its directory without symbolic links, and its own name, which the one who opens it must
 * not follow if it is a link (O_NOFOLLOW).
 *
 * @throws {BadRequest} `path` is relative, holds `.` or `..`, or leads out of `auditDirectory`, or a directory misses
 */
export function confine(path: string, auditDirectory: string): string {
  if (!isPlain(path)) throw outside(auditDirectory)
  const allowed = realDirectory(
    auditDirectory,
    `the directory "${auditDirectory}", which is "audit_directory" in the server's configuration, does not exist or cannot be read; create it for the server's user`,
  )
  const directory = realDirectory(
    dirname(path),
    'the directory of "file_path" does not exist or cannot be read; create it below "audit_directory"',
  )
  if (directory !== allowed && !directory.startsWith(allowed === sep ? sep : allowed + sep))
    throw outside(auditDirectory)
  return join(directory, basename(path))
}

function isPlain(path: string): boolean {
  if (!isAbsolute(path) || path.includes('\0') || Buffer.byteLength(path) > MAX_PATH_BYTES)
    return false
  return path
    .slice(1)
    .split('/')
    .every((segment) => segment !== '' && segment !== '.' && segment !== '..')
}

function outside(auditDirectory: string): BadRequest {
  return new BadRequest(
    `"file_path" must be an absolute path, without "." and "..", below the "audit_directory" of the server's configuration, which is "${auditDirectory}"; for another one, write audit_directory = "..." there and restart the server`,
  )
}

function realDirectory(path: string, otherwise: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    throw new BadRequest(otherwise)
  }
}
