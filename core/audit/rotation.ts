/**
 * Rotation of an audit file: at a size or an age it gets another name in its directory, and a new one is begun.
 *
 * Names    `audit.log.20261231T235959123Z-1a2b3c4d`: they sort by time, and no file is ever written over.
 * Shared   several processes may rotate one file: whoever finds that another was first goes on in the new file.
 */
import { accessSync, constants, readdirSync, renameSync, unlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parseDurationSeconds } from '../duration.ts'
import { BadRequest } from '../errors.ts'
import { systemRandom } from '../random.ts'
import { AuditWriteFailed } from './failures.ts'

export interface Rotation {
  /** The file is not written beyond this, but for a first write that is longer. */
  readonly bytes: number | undefined
  readonly ageMs: number | undefined
  /** How many rotated files stay; `undefined`: all. */
  readonly maxFiles: number | undefined
}

/** Below this nearly each write would have a file of its own. */
const MIN_BYTES = 65_536
const MIN_AGE_SECONDS = 60
const MAX_FILES = 10_000
const ROTATED = /^\.\d{8}T\d{9}Z-[0-9a-f]{8}$/

/** `undefined`: the file is not rotated. @throws {BadRequest} an option is wrong */
export function readRotation(options: Readonly<Record<string, string>>): Rotation | undefined {
  const { rotate_bytes: bytes, rotate_duration: duration, rotate_max_files: files } = options
  if (bytes === undefined && duration === undefined) {
    if (files === undefined) return undefined
    throw new BadRequest('"rotate_max_files" needs "rotate_bytes" or "rotate_duration"')
  }
  return {
    bytes: bytes === undefined ? undefined : wholeNumber('rotate_bytes', bytes, MIN_BYTES),
    ageMs: duration === undefined ? undefined : readAge(duration),
    maxFiles:
      files === undefined ? undefined : wholeNumber('rotate_max_files', files, 1, MAX_FILES),
  }
}

/** @throws {AuditWriteFailed} the file could be written but not rotated, which should not show months later */
export function checkRotates(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK)
  } catch (error) {
    throw new AuditWriteFailed(
      'the server may not rename the audit file, as its rotation needs; let it write to the directory',
      error,
    )
  }
}

/** Gives the file its other name, and deletes the oldest ones. */
export function rotate(path: string, { maxFiles }: Rotation, nowMs: number): void {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '')
  renameSync(path, `${path}.${time}-${systemRandom.uuid().slice(0, 8)}`)
  if (maxFiles === undefined) return
  const rotated = rotatedFiles(path)
  for (const old of rotated.slice(0, Math.max(0, rotated.length - maxFiles))) deleteQuietly(old)
}

/** Oldest first. */
function rotatedFiles(path: string): readonly string[] {
  const name = basename(path)
  return readdirSync(dirname(path))
    .filter((file) => file.startsWith(name) && ROTATED.test(file.slice(name.length)))
    .toSorted()
    .map((file) => join(dirname(path), file))
}

function deleteQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Another process was first, or it is tried again at the next rotation.
  }
}

function wholeNumber(
  option: string,
  text: string,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (number >= min && number <= max) return number
  throw new BadRequest(`"${option}" must be a whole number of at least ${min}`)
}

function readAge(text: string): number {
  const seconds = parseDurationSeconds(text)
  if (seconds < MIN_AGE_SECONDS)
    throw new BadRequest(`"rotate_duration" must be at least ${MIN_AGE_SECONDS} seconds`)
  return seconds * 1000
}
