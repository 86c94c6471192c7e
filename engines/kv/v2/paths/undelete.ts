/** `undelete/PATH`: restores deleted versions. */
import { BadRequest } from '../../../../core/errors.ts'
import { integers } from '../../../../core/plugin/fields.ts'
import { path } from '../../../../core/plugin/path.ts'
import type { Request } from '../../../../core/plugin/request.ts'
import { secretPath } from '../../secret-path.ts'
import { readConfig } from '../config.ts'
import { openKey, saveKey } from '../keys.ts'
import { undeleteVersions } from '../versions.ts'

const fields = { path: secretPath, versions: integers('Numbers of the versions.').default([]) }

export const undeletePath = path('undelete/:path*', {
  summary: 'Restores deleted versions of a secret',
  description:
    'Destroyed ones stay so. Where versions are deleted after a time, the time begins anew.',
  fields,
  operations: { update },
})

async function update(request: Request<typeof fields>): Promise<void> {
  const { storage, data, nowMs } = request
  if (data.versions.length === 0) throw new BadRequest('No version number provided')
  const key = await openKey(request, data.path)
  if (key === undefined) return
  const config = await readConfig(storage)
  saveKey(storage, data.path, undeleteVersions(config, key, data.versions, nowMs))
}
