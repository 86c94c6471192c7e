/** Identity tokens: their issuer, roles, the tokens themselves, and what verifies them. */
import { BadRequest, NotFound } from '../../../core/errors.ts'
import { identityOf } from '../../../core/identity/rights.ts'
import { duration, string } from '../../../core/plugin/fields.ts'
import { pageFields } from '../../../core/plugin/paging.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { issuerOf } from '../oidc/issuer.ts'
import { DAY_SECONDS, DEFAULT_KEY, demandKey, findKey, publicKeysOf, putKey } from '../oidc/keys.ts'
import {
  ALGORITHMS,
  oidcConfigKey,
  oidcConfigs,
  oidcRoleFolder,
  oidcRoleKey,
  oidcRoles,
  type OidcRole,
} from '../oidc/records.ts'
import { findOidcRole } from '../oidc/roles.ts'
import { checkTemplate, templateText } from '../oidc/template.ts'
import { faultOf, signToken } from '../oidc/tokens.ts'
import { namesIn } from '../paging.ts'
import { contextOf, demandName } from '../request.ts'

const CLIENT_ID_CHARACTERS = 26
/** How long what verifies may be kept; keys are published before they sign. */
const KEYS_MAX_AGE_SECONDS = 60
const ISSUER_WARNING =
  'If "issuer" is set explicitly, all tokens must be validated against that address, including those issued by secondary clusters. Setting issuer to "" will restore the default behavior of using the cluster\'s api_addr as the issuer.'

const name = string('Name of the role.').default('')
const roleFields = {
  name,
  key: string('Name of the key that signs.'),
  template: string('Further claims: JSON, or base64 of it, with {{identity...}} for values.'),
  ttl: duration('How long its tokens are good.'),
  client_id: string('For whom its tokens are; made by the server if left out.'),
}
type RoleRequest = Request<typeof roleFields>

/** @param apiAddress where clients reach the server; empty: unknown */
export function oidcTokenPaths(apiAddress: string) {
  return [
    path('oidc/config', {
      summary: 'Whom tokens name as their issuer',
      fields: {
        issuer: string('Scheme, host and port; empty: the address of the server.'),
      },
      operations: { read: readConfig, update: writeConfig },
    }),
    path('oidc/role', {
      summary: 'The names of the roles',
      fields: pageFields,
      operations: {
        async list(request) {
          const { root, namespaceId } = contextOf(request)
          return { data: { keys: await namesIn(root, oidcRoleFolder(namespaceId), request.data) } }
        },
      },
    }),
    path('oidc/role/:name', {
      summary: 'A role: which key signs, for whom, and which claims',
      fields: roleFields,
      operations: { read: showRole, update: writeRole, delete: removeRole },
    }),
    path('oidc/token/:name', {
      summary: 'A token that says who the caller is',
      fields: { name },
      operations: { read: (request) => issue(request, apiAddress) },
    }),
    path('oidc/introspect', {
      summary: 'Whether a token is good',
      fields: {
        token: string('The identity token.').default(''),
        client_id: string('For whom it has to be; empty: anybody.').default(''),
      },
      operations: {
        async update(request) {
          const context = contextOf(request)
          const issuer = await issuerOf(context, apiAddress)
          const { token, client_id: clientId } = request.data
          const error = await faultOf(context, token, { clientId, issuer })
          return { bare: error === undefined ? { active: true } : { active: false, error } }
        },
      },
    }),
    path('oidc/.well-known/openid-configuration', {
      summary: 'Where to find what verifies tokens',
      unauthenticated: true,
      fields: {},
      operations: {
        async read(request) {
          const issuer = await issuerOf(contextOf(request), apiAddress)
          return {
            bare: {
              issuer,
              jwks_uri: `${issuer}/.well-known/keys`,
              response_types_supported: ['id_token'],
              subject_types_supported: ['public'],
              id_token_signing_alg_values_supported: [...ALGORITHMS],
            },
          }
        },
      },
    }),
    path('oidc/.well-known/keys', {
      summary: 'What verifies tokens (RFC 7517)',
      unauthenticated: true,
      fields: {},
      operations: {
        async read(request) {
          const keys = await publicKeysOf(contextOf(request), request.nowMs)
          return {
            bare: { keys: keys.map(({ jwk }) => jwk) },
            headers: { 'Cache-Control': `max-age=${KEYS_MAX_AGE_SECONDS}` },
          }
        },
      },
    }),
  ]
}

async function readConfig(request: Request): Promise<Response> {
  const { root, namespaceId } = contextOf(request)
  const config = await root.get(oidcConfigs, oidcConfigKey(namespaceId))
  return { data: { issuer: config?.issuer ?? '' } }
}

async function writeConfig(
  request: Request<{ issuer: ReturnType<typeof string> }>,
): Promise<Response | undefined> {
  const { root, namespaceId } = contextOf(request)
  const { issuer } = request.data
  if (issuer === undefined) return undefined
  if (issuer !== '' && !isOrigin(issuer)) {
    throw new BadRequest(
      'invalid issuer, which must include only a scheme, host, and optional port (e.g. https://example.com:8200)',
    )
  }
  root.put(oidcConfigs, oidcConfigKey(namespaceId), { issuer })
  return { warnings: [ISSUER_WARNING] }
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:\/\/[^/?#@]+$/.test(text)
}

async function showRole(request: RoleRequest): Promise<Response> {
  const role = await findOidcRole(contextOf(request), request.data.name)
  if (role === undefined) throw new NotFound()
  return {
    data: {
      client_id: role.clientId,
      key: role.key,
      template: role.template,
      ttl: role.ttlSeconds,
    },
  }
}

async function writeRole(request: RoleRequest): Promise<undefined> {
  const context = contextOf(request)
  const { data } = request
  const known = await findOidcRole(context, demandName(data.name))
  const role: OidcRole = {
    name: data.name,
    key: data.key ?? known?.key ?? '',
    template: data.template === undefined ? (known?.template ?? '') : templateText(data.template),
    ttlSeconds: data.ttl ?? known?.ttlSeconds ?? DAY_SECONDS,
    clientId: clientIdOf(request, known),
  }
  if (role.key === '') throw new BadRequest('the key parameter is required')
  checkTemplate(role.template)
  const isDefault = role.key === DEFAULT_KEY
  const key = isDefault ? await demandKey(context, role.key) : await findKey(context, role.key)
  if (key === undefined) throw new BadRequest('cannot find the key of that name')
  if (role.ttlSeconds > key.verificationSeconds) {
    throw new BadRequest(
      "a role's token ttl cannot be longer than the verification_ttl of the key it references",
    )
  }
  putKey(context, key)
  context.root.put(oidcRoles, oidcRoleKey(context.namespaceId, role.name), role)
}

function clientIdOf({ data, random }: RoleRequest, known: OidcRole | undefined): string {
  if (data.client_id !== undefined && data.client_id !== '') return data.client_id
  return known?.clientId ?? random.base62(CLIENT_ID_CHARACTERS)
}

async function removeRole(request: RoleRequest): Promise<undefined> {
  const { root, namespaceId } = contextOf(request)
  root.delete(oidcRoleKey(namespaceId, request.data.name))
}

async function issue(
  request: Request<{ name: typeof name }>,
  apiAddress: string,
): Promise<Response> {
  const context = contextOf(request)
  const { data, caller } = request
  const role = await findOidcRole(context, data.name)
  if (role === undefined) throw new BadRequest(`role "${data.name}" not found`)
  const identity = caller && (await identityOf(context.root, caller))
  if (identity === undefined) {
    throw new BadRequest("no entity associated with the request's token")
  }
  const issuer = await issuerOf(context, apiAddress)
  const token = await signToken(context, role, identity, issuer)
  return { data: { client_id: role.clientId, token, ttl: role.ttlSeconds } }
}
