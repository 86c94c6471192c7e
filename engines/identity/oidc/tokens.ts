/** Identity tokens: signed statements of who somebody is (OpenID Connect Core 1.0, section 2). */
import { createPublicKey } from 'node:crypto'
import { assert, BadRequest } from '../../../core/errors.ts'
import { findEntity, type IdentityContext } from '../../../core/identity/entities.ts'
import type { Identity } from '../../../core/identity/rights.ts'
import { isJsonObject, stringifyJson } from '../../../core/json.ts'
import { keyToSign, publicKeysOf } from './keys.ts'
import type { OidcRole } from './records.ts'
import { claimsOf } from './template.ts'

const loadJose = () => import('jose')

/** @throws {BadRequest} the role's key does not sign for it */
export async function signToken(
  context: IdentityContext,
  role: OidcRole,
  identity: Identity,
  issuer: string,
): Promise<string> {
  const { SignJWT } = await loadJose()
  const { key, privateKey } = await keyToSign(context, role.key)
  if (!key.allowedClientIds.includes('*') && !key.allowedClientIds.includes(role.clientId)) {
    throw new BadRequest(
      `the key "${role.key}" does not list the client ID of the role "${role.name}" as an allowed client ID`,
    )
  }
  const { nowMs, namespaceId } = context
  const claims = claimsOf(role.template, identity.facts, nowMs)
  const further: unknown = JSON.parse(stringifyJson(claims))
  assert(isJsonObject(further), 'claims are a JSON object')
  return new SignJWT({ ...further, namespace: namespaceId })
    .setProtectedHeader({ alg: key.algorithm, kid: key.signingId })
    .setIssuer(issuer)
    .setSubject(identity.facts.entity.id)
    .setAudience(role.clientId)
    .setIssuedAt(new Date(nowMs))
    .setExpirationTime(new Date(nowMs + role.ttlSeconds * 1000))
    .sign(privateKey)
}

/**
 * Whether the token is one of this namespace, is in its time, and its entity is there and not disabled.
 *
 * @param clientId for whom it is to be; empty: anybody
 * @returns what is wrong with it
 */
export async function faultOf(
  context: IdentityContext,
  token: string,
  { clientId, issuer }: { readonly clientId: string; readonly issuer: string },
): Promise<string | undefined> {
  const { errors, jwtVerify, decodeProtectedHeader } = await loadJose()
  const { nowMs } = context
  try {
    const { kid } = decodeProtectedHeader(token)
    const known = (await publicKeysOf(context, nowMs)).find(({ id }) => id === kid)
    if (known === undefined) return 'unable to validate the token signature'
    const key = createPublicKey({ key: known.jwk, format: 'jwk' })
    const { payload } = await jwtVerify(token, key, {
      issuer,
      currentDate: new Date(nowMs),
      algorithms: [known.jwk['alg'] ?? ''],
      ...(clientId !== '' && { audience: clientId }),
    })
    return await entityFault(context, payload.sub ?? '')
  } catch (error) {
    if (error instanceof errors.JWTClaimValidationFailed) {
      return `error validating claims: the claim "${error.claim}" is not as it should be`
    }
    if (error instanceof errors.JWTExpired) return 'error validating claims: the token has expired'
    if (error instanceof errors.JWSSignatureVerificationFailed) {
      return 'unable to validate the token signature'
    }
    if (error instanceof errors.JOSEError || error instanceof TypeError) {
      return 'error parsing token: it is no JWT'
    }
    throw error
  }
}

async function entityFault(context: IdentityContext, id: string): Promise<string | undefined> {
  const entity = await findEntity(context, id)
  if (entity === undefined) return 'entity was not found'
  return entity.disabled ? 'entity is disabled' : undefined
}
