/** `destroy/PATH`: erases versions for good. */
import { BadRequest } from '../../../../core/errors.ts'
import { integers } from '../../../../core/plugin/fields.ts'
import { path } from '../../../../core/plugin/path.ts'
import type { Request } from '../../../../core/plugin/request.ts'
import { secretPath } from '../../secret-path.ts'
import { eraseData, openKey, saveKey } from '../keys.ts'
import { destroyVersions, numberedVersions } from '../versions.ts'

const fields = { path: secretPath, versions: integers('Numbers of the versions.').default([]) }

export const destroyPath = path('destroy/:path*', {
  summary: 'Erases versions of a secret for good',
  fields,
  operations: { update },
})

async function update(request: Request<typeof fields>): Promise<void> {
  const { storage, data } = request
  if (data.versions.length === 0) throw new BadRequest('no version number provided')
  const key = await openKey(request, data.path)
  if (key === undefined) return
  const wanted = new Set(data.versions)
  const numbers = numberedVersions(key).flatMap(({ number, version }) =>
    wanted.has(number) && version.destroyed !== true ? [number] : [],
  )
  eraseData(storage, key, numbers)
  saveKey(storage, data.path, destroyVersions(key, numbers))
}
