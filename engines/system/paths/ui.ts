/** `sys/internal/*`: what consoles and command lines ask before they act (contract: sys-auth.md, internal/ui). */
import { PermissionDenied } from '../../../core/errors.ts'
import type { MountEntry } from '../../../core/mounts/record.ts'
import type { Registry } from '../../../core/mounts/registry.ts'
import { findMount, listMounts } from '../../../core/mounts/table.ts'
import { listChildren } from '../../../core/namespace/table.ts'
import type { UnsealedParts } from '../../../core/pipeline.ts'
import { boolean, string } from '../../../core/plugin/fields.ts'
import { openApiOf, type MountedPaths } from '../../../core/plugin/openapi.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import type { Acl } from '../../../core/policy/acl.ts'
import { resultantAcl } from '../../../core/policy/resultant.ts'
import { aclOf } from '../../../core/request/authorize.ts'
import { shownMount } from '../shown-mount.ts'

type Unsealed = () => Pick<UnsealedParts, 'acls'>

const underPath = { path: string('A path below the mount.').default('') }
const openApiFields = {
  context: string('Only paths below this one.').default('').inQuery(),
  generic_mount_paths: boolean('Names mounts as parameters.').default(false).inQuery(),
}

export function uiPaths(unsealed: Unsealed, registry: () => Registry) {
  return [
    path('internal/ui/mounts', {
      summary: 'The mounts that the caller may see',
      unauthenticated: true,
      operations: { read: (request) => visibleMounts(request, unsealed()) },
    }),
    path('internal/ui/mounts/:path*', {
      summary: 'The mount of a path, if the caller may see it',
      fields: underPath,
      unauthenticated: true,
      operations: { read: (request) => mountOfPath(request, unsealed()) },
    }),
    path('internal/ui/namespaces', {
      summary: 'The child namespaces that the caller may see',
      operations: { read: (request) => childNamespaces(request, unsealed()) },
    }),
    path('internal/ui/resultant-acl', {
      summary: 'What the policies of the caller grant together',
      operations: {
        async read(request) {
          const acl = await demandAcl(request, unsealed())
          return { data: { ...resultantAcl(acl, request.namespace.path) } }
        },
      },
    }),
    path('internal/specs/openapi', {
      summary: 'The OpenAPI document of the mounts that the caller may reach',
      fields: openApiFields,
      unauthenticated: true,
      operations: {
        read: (request) => openApi(request, unsealed(), registry),
        update: (request) => openApi(request, unsealed(), registry),
      },
    }),
  ]
}

/**
 * `undefined`: no token came with the request.
 *
 * @throws {PermissionDenied} one came that is not alive, or is not bound to where the request comes from
 */
async function findAcl(
  { storage: root, nowMs, clientToken, caller }: Request,
  { acls }: ReturnType<Unsealed>,
): Promise<Acl | undefined> {
  if (clientToken === '') return undefined
  if (caller === undefined) throw new PermissionDenied()
  return aclOf(root, acls, caller, nowMs)
}

async function demandAcl(request: Request, parts: ReturnType<Unsealed>): Promise<Acl> {
  const acl = await findAcl(request, parts)
  if (acl === undefined) throw new PermissionDenied()
  return acl
}

async function visibleMounts(request: Request, parts: ReturnType<Unsealed>): Promise<Response> {
  const { storage, namespace } = request
  const acl = await findAcl(request, parts)
  const entries = await listMounts(storage, namespace.id)
  const secret: Record<string, unknown> = {}
  const auth: Record<string, unknown> = {}
  for (const entry of entries) {
    const open = entry.config.listingVisibility === 'unauth'
    if (acl === undefined ? !open : !open && !acl.reachesBelow(entry.path, namespace.path)) continue
    const shown = acl === undefined ? brief(entry) : await shownMount(storage, entry, namespace)
    if (entry.kind === 'auth') auth[entry.path.slice('auth/'.length)] = shown
    else secret[entry.path] = shown
  }
  return { data: { secret, auth } }
}

function brief({ type, description, options }: MountEntry): Record<string, unknown> {
  return { type, description, options }
}

/** Whether there is no such mount, or the caller may not see it, is one answer. */
async function mountOfPath(
  request: Request<typeof underPath>,
  parts: ReturnType<Unsealed>,
): Promise<Response> {
  const { storage, namespace, data } = request
  const acl = await demandAcl(request, parts)
  const entry = await findMount(storage, namespace.id, data.path)
  if (entry === undefined || !acl.reachesBelow(entry.path, namespace.path)) {
    throw new PermissionDenied(
      `preflight capability check returned 403, please ensure client's policies grant access to path "${data.path}/"`,
    )
  }
  const own = entry.path.replace(/^auth\//, '')
  return { data: { ...(await shownMount(storage, entry, namespace)), path: own } }
}

async function childNamespaces(request: Request, parts: ReturnType<Unsealed>): Promise<Response> {
  const { storage, namespace } = request
  const acl = await demandAcl(request, parts)
  const keys = (await listChildren(storage, namespace.id))
    .filter(({ path: own, tainted }) => !tainted && acl.reachesBelow('', own))
    .map(({ path: own }) => own.slice(namespace.path.length))
  return keys.length === 0 ? { data: {} } : { data: { keys } }
}

async function openApi(
  request: Request<typeof openApiFields>,
  parts: ReturnType<Unsealed>,
  registry: () => Registry,
): Promise<Response> {
  const { storage, namespace, data } = request
  const acl = await findAcl(request, parts)
  const entries = await listMounts(storage, namespace.id)
  const reachable = entries.filter(
    (entry) =>
      entry.path.startsWith(data.context) &&
      (entry.path === 'sys/' || acl?.reachesBelow(entry.path, namespace.path)),
  )
  const mounts: MountedPaths[] = []
  for (const entry of reachable) {
    const instance = await registry().find(storage, entry)
    if (instance === undefined || instance.unavailable !== undefined) continue
    const generic = data.generic_mount_paths && !instance.type.singleton
    mounts.push({
      prefix: generic ? genericPrefix(entry) : entry.path,
      paths: instance.plugin.paths,
      tag: entry.kind === 'auth' ? 'auth' : 'secrets',
    })
  }
  return {
    raw: { contentType: 'application/json', body: `${JSON.stringify(openApiOf(mounts))}\n` },
    data: {},
  }
}

function genericPrefix({ kind, type }: MountEntry): string {
  return `${kind === 'auth' ? 'auth/' : ''}{${type}_mount_path}/`
}
