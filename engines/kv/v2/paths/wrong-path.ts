/** All other paths: mostly those of version 1, by somebody who does not know that the mount is of version 2. */
import { path, type Operation } from '../../../../core/plugin/path.ts'
import type { RequestBase } from '../../../../core/plugin/request.ts'
import { folderPath } from '../../secret-path.ts'

/** What the command line calls each operation, in the reference's hint. */
const COMMANDS: Readonly<Partial<Record<Operation, string>>> = {
  create: 'put',
  update: 'put',
  patch: 'patch',
  read: 'get',
  list: 'list',
  scan: 'scan',
  delete: 'delete',
}
const ROOTS = new Set(['metadata', 'data', 'delete', 'undelete', 'destroy'])

export const wrongPath = path(':path*', {
  summary: 'No path of this engine',
  description:
    'Version 2 of the engine has its secrets below `data/` and their metadata below `metadata/`; other paths are ' +
    'answered with a hint.',
  fields: { path: folderPath },
  takesAnyField: true,
  operations: { read: hint, update: hint, patch: hint, delete: hint, list: hint, scan: hint },
})

function hint({ path: at, operation }: RequestBase) {
  const warning = ROOTS.has(at)
    ? 'Non-listing operations on the root of a K/V v2 mount are not supported.'
    : 'Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. ' +
      `If using the OpenBao CLI, use 'bao kv ${COMMANDS[operation] ?? 'get'}' for this operation.`
  return { status: 404, warnings: [warning] }
}
