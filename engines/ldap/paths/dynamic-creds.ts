/** `creds/`: an account of its own for each request. */
import { z } from 'zod'
import { BadRequest } from '../../../core/errors.ts'
import type { EffectType, Secret, UndoContext } from '../../../core/plugin/effects.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { usernameTemplate } from '../../../core/plugin/username-template.ts'
import { applyLdif, takeBack } from '../apply-ldif.ts'
import { withDirectory } from '../connect.ts'
import { parseLdif } from '../ldif.ts'
import { ldifOf, renderLdif, type AccountFacts } from '../ldif-template.ts'
import { checkName, name } from '../names.ts'
import { newPassword } from '../passwords.ts'
import { DYNAMIC_ROLES_PREFIX, dynamicRoles, type DynamicRole } from '../records.ts'
import { demandConfig } from './config.ts'

const fields = { name }
type CredsRequest = Request<typeof fields>

const DEFAULT_TEMPLATE = 'v_{{.DisplayName}}_{{.RoleName}}_{{random 10}}_{{unix_time}}'
/** Rendered when the account was made, so that a role that changes, or is gone, takes nothing from it. */
const INTERNAL = z.object({ role: z.string(), deletion: z.string(), rollback: z.string() })

export const dynamicCredsPath = path('creds/:name*', {
  summary: 'Makes an account',
  fields,
  operations: { read: giveAccount },
})

/** What a request had begun: nobody knows how much of it is there. */
export const beginnings: EffectType = {
  async undo(context, internal) {
    const { rollback, deletion } = INTERNAL.parse(internal)
    if (rollback !== '') await remove(context, rollback)
    await remove(context, deletion)
  },
}

export const accounts: EffectType = {
  undo: (context, internal) => remove(context, INTERNAL.parse(internal).deletion),
  async renew({ storage }, { internal }) {
    const { role: roleName } = INTERNAL.parse(internal)
    const role = await storage.get(dynamicRoles, DYNAMIC_ROLES_PREFIX + roleName)
    if (role === undefined) return { refused: 'unable to renew: role does not exist' }
    return { ttlSeconds: role.defaultTtlSeconds, maxTtlSeconds: role.maxTtlSeconds }
  },
}

async function remove(context: UndoContext, ldif: string): Promise<void> {
  const config = await demandConfig(context)
  await withDirectory(config, context, [], (run) => takeBack(run, parseLdif(ldif)))
}

async function giveAccount(request: CredsRequest): Promise<Response | undefined> {
  const { storage, data } = request
  const roleName = checkName(data.name)
  const role = await storage.get(dynamicRoles, DYNAMIC_ROLES_PREFIX + roleName)
  if (role === undefined) return undefined
  const config = await demandConfig(request)
  const account = await accountFor(request, role, roleName)
  const creation = ldifOf(role.creationLdif, account, request)
  const internal = {
    role: roleName,
    deletion: renderLdif(role.deletionLdif, account, request),
    rollback: role.rollbackLdif === '' ? '' : renderLdif(role.rollbackLdif, account, request),
  }
  // Whatever cannot be taken back is not begun.
  parseLdif(internal.deletion)
  if (internal.rollback !== '') parseLdif(internal.rollback)
  const { username, password } = account
  return {
    effect: {
      type: 'creation',
      internal,
      leased: true,
      async act(signal) {
        const limits = { nowMs: request.nowMs, signal }
        await withDirectory(config, limits, [password], (run) => applyLdif(run, creation))
        const distinguished_names = creation.map(({ dn }) => dn)
        return () => ({
          data: { username, password, distinguished_names },
          secret: secretOf(role, internal),
        })
      },
    },
  }
}

async function accountFor(
  request: CredsRequest,
  { usernameTemplate: given, defaultTtlSeconds }: DynamicRole,
  roleName: string,
): Promise<AccountFacts> {
  const { caller, mount, nowMs } = request
  const displayName = caller?.displayName ?? ''
  const template = usernameTemplate(given === '' ? DEFAULT_TEMPLATE : given)
  const spanSeconds = defaultTtlSeconds === 0 ? mount.defaultTtlSeconds : defaultTtlSeconds
  const username = template.render({ displayName, roleName }, request)
  if (/[+=/:]/.test(username)) {
    throw new BadRequest(
      'the username template gives a name with "+", "=", "/" or ":", which mean something in a DN',
    )
  }
  return {
    username,
    password: await newPassword(request, await demandConfig(request)),
    displayName,
    roleName,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + spanSeconds * 1000,
  }
}

function secretOf(role: DynamicRole, internal: Secret['internal']): Secret {
  return {
    type: 'creds',
    internal,
    ttlSeconds: role.defaultTtlSeconds,
    maxTtlSeconds: role.maxTtlSeconds,
    renewable: true,
  }
}
