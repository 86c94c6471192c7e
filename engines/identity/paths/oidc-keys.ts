/** `oidc/key`: the keys that sign identity tokens (contract: sys-auth.md, part 3). */
import { BadRequest, NotFound } from '../../../core/errors.ts'
import { duration, list, string } from '../../../core/plugin/fields.ts'
import { pageFields } from '../../../core/plugin/paging.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import {
  changeKey,
  createKey,
  DEFAULT_KEY,
  DEFAULT_SETTINGS,
  demandKey,
  findKey,
  OPEN_SETTINGS,
  removeKey,
  rotateKey,
  settingsOf,
  type KeySettings,
} from '../oidc/keys.ts'
import { ALGORITHMS, namedKeyFolder, type Algorithm } from '../oidc/records.ts'
import { rolesOfKey } from '../oidc/roles.ts'
import { namesIn } from '../paging.ts'
import { contextOf, demandName } from '../request.ts'

const LEAST_ROTATION_SECONDS = 60
const MOST_ROTATIONS_VERIFIED = 10

const name = string('Name of the key.').default('')
const fields = {
  name,
  algorithm: string(`One of ${ALGORITHMS.join(', ')}.`),
  rotation_period: duration('How long a key signs.'),
  verification_ttl: duration('How long it verifies after that.'),
  allowed_client_ids: list('Clients whose tokens it signs; `*` for all.'),
}
type KeyRequest = Request<typeof fields>

export const oidcKeyPaths = [
  path('oidc/key', {
    summary: 'The names of the keys',
    fields: pageFields,
    operations: {
      async list(request) {
        const { root, namespaceId } = contextOf(request)
        const names = await namesIn(root, namedKeyFolder(namespaceId), request.data)
        const { after = '' } = request.data
        const isMissing = !names.includes(DEFAULT_KEY) && after < DEFAULT_KEY
        return { data: { keys: isMissing ? [...names, DEFAULT_KEY].sort() : names } }
      },
    },
  }),
  path('oidc/key/:name', {
    summary: 'A key that signs identity tokens, and those that it had before',
    fields,
    operations: { read: show, update: write, delete: remove },
  }),
  path('oidc/key/:name/rotate', {
    summary: 'The next key signs from now on',
    fields: {
      name,
      verification_ttl: duration('How long the former one verifies; without it, as its key says.'),
    },
    operations: {
      async update(request) {
        const context = contextOf(request)
        const key =
          request.data.name === DEFAULT_KEY
            ? await demandKey(context, DEFAULT_KEY)
            : await findKey(context, request.data.name)
        if (key === undefined) throw noKey(request.data.name)
        await rotateKey(context, key, request.data.verification_ttl ?? key.verificationSeconds)
        return undefined
      },
    },
  }),
]

function noKey(named: string): BadRequest {
  return new BadRequest(`no named key found at "${named}"`)
}

async function show(request: KeyRequest): Promise<Response> {
  const settings = await settingsOf(contextOf(request), request.data.name)
  if (settings === undefined) throw new NotFound()
  return {
    data: {
      algorithm: settings.algorithm,
      rotation_period: settings.rotationSeconds,
      verification_ttl: settings.verificationSeconds,
      allowed_client_ids: settings.allowedClientIds,
    },
  }
}

async function write(request: KeyRequest): Promise<undefined> {
  const context = contextOf(request)
  const { data } = request
  const known = await findKey(context, demandName(data.name))
  const base = known ?? (data.name === DEFAULT_KEY ? OPEN_SETTINGS : DEFAULT_SETTINGS)
  const settings: KeySettings = {
    algorithm: data.algorithm === undefined ? base.algorithm : demandAlgorithm(data.algorithm),
    rotationSeconds: data.rotation_period ?? base.rotationSeconds,
    verificationSeconds: data.verification_ttl ?? base.verificationSeconds,
    allowedClientIds: data.allowed_client_ids ?? base.allowedClientIds,
  }
  checkSpans(settings)
  const roles = await rolesOfKey(context, data.name)
  if (roles.some(({ ttlSeconds }) => ttlSeconds > settings.verificationSeconds)) {
    throw new BadRequest(
      `unable to update key "${data.name}" because it is currently referenced by one or more roles with a token ttl greater than ${settings.verificationSeconds} seconds`,
    )
  }
  if (known === undefined) await createKey(context, data.name, settings)
  else await changeKey(context, known, settings)
}

async function remove(request: KeyRequest): Promise<undefined> {
  const context = contextOf(request)
  const { name: named } = request.data
  if (named === DEFAULT_KEY) throw new BadRequest(`deletion of key "${named}" not allowed`)
  const key = await findKey(context, named)
  if (key === undefined) return
  const roles = await rolesOfKey(context, named)
  if (roles.length > 0) {
    const names = roles.map((role) => role.name).join(', ')
    throw new BadRequest(
      `unable to delete key "${named}" because it is currently referenced by these roles: ${names}`,
    )
  }
  removeKey(context, key)
}

function demandAlgorithm(text: string): Algorithm {
  const found = ALGORITHMS.find((algorithm) => algorithm === text)
  if (found !== undefined) return found
  throw new BadRequest(`unknown signing algorithm; it is one of ${ALGORITHMS.join(', ')}`)
}

function checkSpans({ rotationSeconds, verificationSeconds }: KeySettings): void {
  if (rotationSeconds < LEAST_ROTATION_SECONDS) {
    throw new BadRequest('rotation_period must be at least one minute')
  }
  if (verificationSeconds > MOST_ROTATIONS_VERIFIED * rotationSeconds) {
    throw new BadRequest('verification_ttl cannot be longer than 10x rotation_period')
  }
}
