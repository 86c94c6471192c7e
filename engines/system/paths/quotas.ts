/** `sys/quotas`: how many requests a client may make (contract: sys-auth.md, Quotas). */
import { BadRequest } from '../../../core/errors.ts'
import type { Registry } from '../../../core/mounts/registry.ts'
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
} from '../../../core/quota/record.ts'
import { targetKey } from '../../../core/quota/target.ts'
import { isGlobal, pathOfTarget, targetOfPath } from '../quota-target.ts'

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
      path: await pathOfTarget(storage, limit),
      rate: limit.rate,
      role: limit.role,
      type: 'rate-limit',
    },
  }
}

async function writeLimit(request: LimitRequest, registry: Registry): Promise<undefined> {
  const { storage, data } = request
  if (!(data.rate > 0) || !Number.isFinite(data.rate)) throw new BadRequest("'rate' is invalid")
  const target = await targetOfPath(storage, data, registry)
  const { rateLimits } = await readQuotas(storage)
  const others = rateLimits.filter(({ name }) => name !== data.name)
  const same = others.find((one) => targetKey(one) === targetKey(target))
  if (same !== undefined) {
    throw new BadRequest(`quota rule with similar properties exists under the name "${same.name}"`)
  }
  if (others.length >= MAX_RATE_LIMITS) {
    throw new BadRequest(`there are ${MAX_RATE_LIMITS} rate limits already, which is the most`)
  }
  await putRateLimit(storage, {
    ...target,
    name: data.name,
    rate: data.rate,
    intervalSeconds: data.interval === 0 ? 1 : data.interval,
    blockSeconds: data.block_interval,
    inheritable: data.inheritable ?? isGlobal(target),
  })
}
