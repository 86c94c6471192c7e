/** `delete/PATH`: marks versions as deleted. */
import { BadRequest } from '../../../../core/errors.ts'
import { integers } from '../../../../core/plugin/fields.ts'
import { path } from '../../../../core/plugin/path.ts'
import type { Request } from '../../../../core/plugin/request.ts'
import { secretPath } from '../../secret-path.ts'
import { openKey, saveKey } from '../keys.ts'
import { deleteVersions } from '../versions.ts'

const fields = { path: secretPath, versions: integers('Numbers of the versions.').default([]) }

export const deletePath = path('delete/:path*', {
  summary: 'Deletes versions of a secret',
  description:
    'Their data stays and can be restored with `undelete`. Unknown numbers are passed over.',
  fields,
  operations: { update },
  examples: [
    {
      summary: 'Two versions',
      operation: 'update',
      path: 'delete/app/database',
      request: { versions: [1, 2] },
    },
  ],
})

async function update(request: Request<typeof fields>): Promise<void> {
  const { storage, data, nowMs } = request
  if (data.versions.length === 0) throw new BadRequest('No version number provided')
  const key = await openKey(request, data.path)
  if (key !== undefined) saveKey(storage, data.path, deleteVersions(key, data.versions, nowMs))
}
