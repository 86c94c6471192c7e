/**
 * Which mount a kv path lies in, and in which version of the engine: asked of the server before each command, because
 * version 2 has its data, metadata and versions below folders of their own.
 */
import { posix } from 'node:path'
import { isJsonObject } from '../../../core/json.ts'
import type { Connection } from '../../client/connection.ts'
import { ApiError } from '../../client/errors.ts'
import { askData } from '../../client/logical.ts'
import { textOf } from '../../client/secret.ts'
import { CommandFailed } from '../failure.ts'
import { bare } from '../paths.ts'

export interface Location {
  readonly version: 1 | 2
  /** The path as version 1 has it. */
  readonly plain: string
  /** The path below a folder of version 2: `data`, `metadata`, `delete`. */
  readonly below: (folder: string) => string
}

/** @param mount what `-mount` says; undefined: the path begins with the mount */
export async function locate(
  connection: Connection,
  given: string,
  mount: string | undefined,
): Promise<Location> {
  const path = bare(given)
  const named = mount === undefined || mount === '' ? undefined : bare(mount)
  const found = await askMount(connection, named ?? path)
  const whole = named === undefined ? path : posix.join(found.path, path)
  return {
    version: found.version,
    plain: whole,
    below: (folder) => withFolder(whole, found.path, folder),
  }
}

interface Mount {
  /** With a slash at the end; '' where an old server does not know the question. */
  readonly path: string
  readonly version: 1 | 2
}

async function askMount(connection: Connection, path: string): Promise<Mount> {
  // The question itself is sent even where the command only shows its request, and is never wrapped.
  const asking: Connection = { ...connection, mode: 'send' }
  try {
    const data = await askData(asking, {
      method: 'GET',
      path: `sys/internal/ui/mounts/${path}`,
      mayWrap: false,
    })
    const options = data['options']
    const version = isJsonObject(options) && options['version'] === '2' ? 2 : 1
    return { path: textOf(data['path']), version }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 404) return { path: '', version: 1 }
    if (error.status === 403 && connection.mode !== 'send') throw showingNeedsAccess(path, error)
    throw error
  }
}

function showingNeedsAccess(path: string, cause: ApiError): CommandFailed {
  return new CommandFailed(
    `To show the request, the server is asked first which version of kv is mounted, and it refused.\nUse a token whose policy allows something at ${path} (with kv version 2: at MOUNT/data/…).`,
    undefined,
    { cause },
  )
}

/**
 * Puts the folder behind the mount. The server may name the mount with the namespaces before it, which the path does
 * not have: the front of the name is then left out, one segment after the other.
 */
export function withFolder(path: string, mountPath: string, folder: string): string {
  let mount = mountPath.replace(/\/$/, '')
  while (mount !== '') {
    if (path === mount) return posix.join(mount, folder)
    if (path.startsWith(`${mount}/`)) return posix.join(mount, folder, path.slice(mount.length + 1))
    mount = mount.includes('/') ? mount.slice(mount.indexOf('/') + 1) : ''
  }
  return posix.join(mountPath, folder, path)
}
