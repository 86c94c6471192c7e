/** `sys/quotas`: how many requests a client may make (contract: sys-auth.md, Quotas). */
import { BadRequest } from '../../../core/errors.ts'
import { findMount, mountByUuid } from '../../../core/mounts/table.ts'
import type { MountEntry } from '../../../core/mounts/record.ts'
import type { Instance, Registry } from '../../../core/mounts/registry.ts'
import { locate, namespaceById, ROOT } from '../../../core/namespaces.ts'
import { boolean, duration, number, string, stringArray } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import {
  MAX_RATE_LIMITS,
  putRateLimit,
  readQuotas,
  removeRateLimits,
  writeQuotas,
  type RateLimit,
} from '../../../core/quota/record.ts'
import { targetOf } from '../../../core/quota/table.ts'

const configFields = {
  rate_limit_exempt_paths: stringArray(
    'Paths that no limit counts, with all below them; `*` at the end: all that begins so.',
  ).default([]),
  enable_rate_limit_audit_logging: boolean('Whether refused requests are audited.').default(false),
  enable_rate_limit_response_headers: boolean('Whether answers tell what is left.').default(false),
}
const fields = {
  name: string('Name of the limit.').default(''),
  type: string('Kept for compatibility.').default(''),
  path: string(
    'What is limited: empty for all, a namespace, a mount, or a path below one; `*` at the end: all that begins so.',
  ).default(''),
  role: string('Only logins with this role; the path is then that of an auth method.').default(''),
  rate: number('Requests of one client in an interval; more than 0.').default(0),
  interval: duration('The interval; 0: a second.').default(0),
  block_interval: duration('How long a client that passed the limit is refused.').default(0),
  inheritable: boolean('Whether it holds in the namespaces below too; a limit for all does.'),
}
type LimitRequest = Request<typeof fields>

/** Of a path; longer ones would fit, but all limits are one record. */
const MAX_SUFFIX_CHARACTERS = 256
const MAX_EXEMPT_PATHS = 256
const MAX_EXEMPT_CHARACTERS = 512

export function quotaPaths(registry: () => Registry) {
  return [
    path('quotas/config', {
      rootOnly: true,
      summary: 'What all rate limits share',
      fields: configFields,
      operations: { read: showConfig, update: writeConfig },
    }),
    path('quotas/rate-limit', {
      rootOnly: true,
      summary: 'Lists the rate limits',
      operations: {
        async list({ storage }) {
          const { rateLimits } = await readQuotas(storage)
          return { data: { keys: rateLimits.map(({ name }) => name).toSorted() } }
        },
      },
    }),
    path('quotas/rate-limit/:name', {
      rootOnly: true,
      summary: 'A rate limit: how many requests a client may make in an interval',
      description:
        'Counted for each address of a client and each node. Of the limits that fit a request the most specific holds: by role, path, mount, namespace, the whole server.',
      fields,
      operations: {
        read: showLimit,
        update: (request) => writeLimit(request, registry()),
        delete: ({ storage, data }) => removeRateLimits(storage, ({ name }) => name === data.name),
      },
      examples: [
        {
          summary: 'A client may make 100 requests a second',
          operation: 'update',
          path: 'quotas/rate-limit/all',
          request: { rate: 100 },
        },
      ],
    }),
  ]
}

async function showConfig({ storage }: Request): Promise<Response> {
  const { settings } = await readQuotas(storage)
  return {
    data: {
      enable_rate_limit_audit_logging: settings.auditRefused,
      enable_rate_limit_response_headers: settings.responseHeaders,
      rate_limit_exempt_paths: settings.exemptPaths,
    },
  }
}

/** What is not given is as at the beginning, but that no path is exempt then (as in OpenBao). */
async function writeConfig({ storage, data }: Request<typeof configFields>): Promise<undefined> {
  const exemptPaths = data.rate_limit_exempt_paths.map((one) => one.replace(/^\/+/, ''))
  if (
    exemptPaths.length > MAX_EXEMPT_PATHS ||
    exemptPaths.some((one) => one === '' || one.length > MAX_EXEMPT_CHARACTERS)
  ) {
    throw new BadRequest(
      `'rate_limit_exempt_paths' are at most ${MAX_EXEMPT_PATHS} paths, each of 1 to ${MAX_EXEMPT_CHARACTERS} characters`,
    )
  }
  const settings = {
    exemptPaths,
    auditRefused: data.enable_rate_limit_audit_logging,
    responseHeaders: data.enable_rate_limit_response_headers,
  }
  writeQuotas(storage, { ...(await readQuotas(storage)), settings })
}

async function showLimit({ storage, data }: LimitRequest): Promise<Response | undefined> {
  const { rateLimits } = await readQuotas(storage)
  const limit = rateLimits.find(({ name }) => name === data.name)
  if (limit === undefined) return undefined
  return {
    data: {
      block_interval: limit.blockSeconds,
      inheritable: limit.inheritable,
      interval: limit.intervalSeconds,
      name: limit.name,
      path: await pathOf(storage, limit),
      rate: limit.rate,
      role: limit.role,
      type: 'rate-limit',
    },
  }
}

/** Where its mount is now. */
async function pathOf(
  root: Request['storage'],
  { namespaceId, mountUuid, suffix }: RateLimit,
): Promise<string> {
  const namespace = await namespaceById(root, namespaceId)
  const mount = mountUuid === '' ? undefined : await mountByUuid(root, namespaceId, mountUuid)
  return `${namespace?.path ?? ''}${mount?.path ?? ''}${suffix}`
}

async function writeLimit(request: LimitRequest, registry: Registry): Promise<undefined> {
  const { storage, data } = request
  if (!(data.rate > 0) || !Number.isFinite(data.rate)) throw new BadRequest("'rate' is invalid")
  const target = await targetOfPath(request, registry)
  const { rateLimits } = await readQuotas(storage)
  const others = rateLimits.filter(({ name }) => name !== data.name)
  const same = others.find((one) => targetOf(one) === targetOf(target))
  if (same !== undefined) {
    throw new BadRequest(`quota rule with similar properties exists under the name "${same.name}"`)
  }
  if (others.length >= MAX_RATE_LIMITS) {
    throw new BadRequest(`there are ${MAX_RATE_LIMITS} rate limits already, which is the most`)
  }
  const isGlobal = target.namespaceId === ROOT.id && target.mountUuid === ''
  await putRateLimit(storage, {
    ...target,
    name: data.name,
    rate: data.rate,
    intervalSeconds: data.interval === 0 ? 1 : data.interval,
    blockSeconds: data.block_interval,
    inheritable: data.inheritable ?? isGlobal,
  })
}

type Target = Pick<RateLimit, 'namespaceId' | 'mountUuid' | 'suffix' | 'role'>

/** @throws {BadRequest} nothing is mounted there, or it knows no roles */
async function targetOfPath({ storage, data }: LimitRequest, registry: Registry): Promise<Target> {
  const given = data.path.replaceAll(/^\/+|\/+$/g, '')
  const { namespace, path: inner } = await locate(storage, '', given === '' ? '' : `${given}/`)
  const base = { namespaceId: namespace.id, mountUuid: '', suffix: '', role: '' }
  if (inner === '') {
    if (data.role !== '') throw noAuthMethod('')
    return base
  }
  const entry = await findMount(storage, namespace.id, inner)
  const instance = entry && (await registry.find(storage, entry))
  if (entry === undefined || instance === undefined) {
    throw new BadRequest(`invalid mount path "${inner}"`)
  }
  const suffix = canonicalSuffix(inner.slice(entry.path.length, -1), instance)
  if (data.role !== '') demandRoles(entry, suffix, instance)
  return { ...base, mountUuid: entry.uuid, suffix, role: data.role }
}

/** In the form in which requests are compared with it. @throws {BadRequest} it is too long */
function canonicalSuffix(given: string, { table }: Instance): string {
  if (given.length > MAX_SUFFIX_CHARACTERS) {
    throw new BadRequest(
      `'path' has at most ${MAX_SUFFIX_CHARACTERS} characters below the path of the mount`,
    )
  }
  return table.find(given, { listing: false })?.canonical.replace(/\/$/, '') ?? given
}

/** @throws {BadRequest} nobody logs in there as a role */
function demandRoles(entry: MountEntry, suffix: string, { plugin }: Instance): void {
  if (suffix !== '') {
    throw new BadRequest(
      'Quotas cannot contain both a path suffix and a role. If a role is provided, path must be a valid auth mount with a concept of roles',
    )
  }
  if (entry.kind !== 'auth') throw noAuthMethod(entry.path)
  if (plugin.loginRole === undefined) {
    throw new BadRequest(`Mount path "${entry.path}" does not support use with role-based quotas`)
  }
}

function noAuthMethod(mountPath: string): BadRequest {
  return new BadRequest(
    `Mount path "${mountPath}" is not a valid auth method and therefore unsuitable for use with role-based quotas`,
  )
}
