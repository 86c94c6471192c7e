/** Identity tokens, as what makes them is stored: the issuer, named keys with what verifies them, and roles. */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { namespacePrefix } from '../../../core/namespaces.ts'
import { kind, secretKind } from '../../../core/store/kind.ts'

export const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

/** The public half of a key, as JSON Web Key (RFC 7517). */
const publicKeySchema = z
  .object({
    id: z.string(),
    jwk: z.record(z.string(), z.string()).readonly(),
    /** When it verifies nothing any more; `null`: it signs, or is the next to. */
    endsAtMs: z.number().nullable(),
  })
  .readonly()

const namedKeySchema = z
  .object({
    name: z.string(),
    algorithm: z.enum(ALGORITHMS),
    rotationSeconds: z.number().int(),
    verificationSeconds: z.number().int(),
    /** `*`: all. */
    allowedClientIds: z.array(z.string()).readonly(),
    signingId: z.string(),
    /** Known to those who verify before it signs. */
    nextId: z.string(),
    rotatesAtMs: z.number(),
    publicKeys: z.array(publicKeySchema).readonly(),
  })
  .readonly()

const roleSchema = z
  .object({
    name: z.string(),
    key: z.string(),
    /** JSON with `{{identity...}}`; empty: no further claims. */
    template: z.string(),
    ttlSeconds: z.number().int(),
    clientId: z.string(),
  })
  .readonly()

export type NamedKey = z.infer<typeof namedKeySchema>
export type PublicKey = z.infer<typeof publicKeySchema>
export type OidcRole = z.infer<typeof roleSchema>

export const oidcConfigs = kind('oidc-config', z.object({ issuer: z.string() }).readonly())
export const namedKeys = kind('oidc-key', namedKeySchema)
export const oidcRoles = kind('oidc-role', roleSchema)
export const privateKeys = secretKind<KeyObject>('oidc-private-key', {
  encode: (key) => key.export({ format: 'der', type: 'pkcs8' }),
  decode: (bytes) => createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' }),
})

const folder = (namespaceId: string) => `${namespacePrefix(namespaceId)}identity/oidc/`
export const oidcConfigKey = (namespaceId: string) => `${folder(namespaceId)}config`
export const namedKeyFolder = (namespaceId: string) => `${folder(namespaceId)}key/`
export const namedKeyKey = (namespaceId: string, name: string) => namedKeyFolder(namespaceId) + name
export const privateKeyKey = (namespaceId: string, id: string) =>
  `${folder(namespaceId)}private-key/${id}`
export const oidcRoleFolder = (namespaceId: string) => `${folder(namespaceId)}role/`
export const oidcRoleKey = (namespaceId: string, name: string) => oidcRoleFolder(namespaceId) + name
