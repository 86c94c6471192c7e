/**
 * The token of the last login: `~/.vault-token`, shared with Vault's and OpenBao's command lines, or the file that
 * VAULT_TOKEN_PATH names; only its user may read it.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandFailed, reasonOf } from './failure.ts'
import { systemRandom } from '../../core/random.ts'

const FILE = '.vault-token'
const OWNER_ONLY = 0o600

/** @param named the file instead of the one in the user's folder; @returns '' where nobody has logged in */
export function readTokenFile(home: string, named?: string): string {
  const path = named ?? join(home, FILE)
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (isMissing(error)) return ''
    throw new CommandFailed(
      `failed to get token from token helper: open ${path}: ${reasonOf(error)}`,
    )
  }
}

/** Replaces the file in one step, so that no reader sees half a token and no old mode survives. */
export function writeTokenFile(home: string, token: string, named?: string): void {
  const path = named ?? join(home, FILE)
  const fresh = `${path}.${systemRandom.base62(8)}.tmp`
  try {
    writeFileSync(fresh, token, { mode: OWNER_ONLY, flag: 'wx' })
    renameSync(fresh, path)
  } finally {
    rmSync(fresh, { force: true })
  }
}

/** Users of services often have a home such as `/dev/null`, where nothing can be. */
function isMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ENOENT' || error.code === 'ENOTDIR')
  )
}
