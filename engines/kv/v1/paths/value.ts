/** `PATH`: the one value of a key, any JSON object. */
import { BadRequest } from '../../../../core/errors.ts'
import { path } from '../../../../core/plugin/path.ts'
import type { Request } from '../../../../core/plugin/request.ts'
import { scan as scanNames } from '../../scan.ts'
import { demandSecretPath, folderPath, namesSecret } from '../../secret-path.ts'
import { leaseHintSeconds } from '../lease-hint.ts'
import { VALUE_PREFIX, values } from '../records.ts'

const fields = { path: folderPath }
type ValueRequest = Request<typeof fields>

export const valuePath = path(':path*', {
  summary: 'A secret: any JSON object',
  description:
    'What is written replaces the value as a whole. A member `ttl` (or `lease`) tells readers for how long they may ' +
    'keep it: it becomes the `lease_duration` of the answer.',
  fields,
  exists: async ({ storage, data }) =>
    namesSecret(data.path) && (await storage.get(values, VALUE_PREFIX + data.path)) !== undefined,
  operations: { read, update: write, delete: remove, list, scan },
  examples: [
    {
      summary: 'Keep a password',
      operation: 'update',
      path: 'app/database',
      request: { username: 'app', password: 'correct horse', ttl: '1h' },
    },
    {
      summary: 'Read it',
      operation: 'read',
      path: 'app/database',
      response: { username: 'app', password: 'correct horse', ttl: '1h' },
    },
  ],
})

/** hot */
async function read({ storage, data, mount }: ValueRequest) {
  const value = namesSecret(data.path)
    ? await storage.get(values, VALUE_PREFIX + data.path)
    : undefined
  if (value === undefined) return undefined
  return { data: value, leaseDurationSeconds: leaseHintSeconds(value, mount.defaultTtlSeconds) }
}

function write({ storage, data, body }: ValueRequest): void {
  demandSecretPath(data.path)
  if (Object.keys(body).length === 0) throw new BadRequest('missing data fields')
  storage.put(values, VALUE_PREFIX + data.path, body)
}

function remove({ storage, data }: ValueRequest): void {
  if (namesSecret(data.path)) storage.delete(VALUE_PREFIX + data.path)
}

async function list({ storage, data }: ValueRequest) {
  return { data: { keys: await storage.list(VALUE_PREFIX + data.path) } }
}

async function scan({ storage, data }: ValueRequest) {
  const keys = await scanNames((folder) => storage.list(VALUE_PREFIX + data.path + folder))
  return { data: keys.length === 0 ? {} : { keys } }
}
