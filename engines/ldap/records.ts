/** What the engine stores. Passwords of the directory's accounts are texts: that is what a directory is given. */
import { z } from 'zod'
import { kind } from '../../core/store/kind.ts'

export const SCHEMAS = ['openldap', 'racf', 'ad'] as const
export type Schema = (typeof SCHEMAS)[number]

export const TLS_VERSIONS = ['tls10', 'tls11', 'tls12', 'tls13'] as const
const tlsVersion = z.enum(TLS_VERSIONS)

export const configs = kind(
  'ldap-config',
  z
    .object({
      /** Tried in this order. */
      urls: z.array(z.string()).readonly(),
      bindDn: z.string(),
      bindPassword: z.string(),
      /** A new one that a rotation was about to set; empty: none. Until its result is stored, either may be in force. */
      nextBindPassword: z.string(),
      /** The one before, which replicas may still hold for some minutes. */
      lastBindPassword: z.string(),
      /** 0: never. */
      bindRotatedAtMs: z.number(),
      schema: z.enum(SCHEMAS),
      userDn: z.string(),
      userAttribute: z.string(),
      upnDomain: z.string(),
      passwordPolicy: z.string(),
      /** 0: what the engine has without one. */
      passwordLength: z.number().int(),
      skipImportRotation: z.boolean(),
      connectionTimeoutSeconds: z.number(),
      requestTimeoutSeconds: z.number(),
      startTls: z.boolean(),
      insecureTls: z.boolean(),
      tlsMinVersion: tlsVersion,
      tlsMaxVersion: tlsVersion,
      /** PEM; empty: the system's authorities. */
      certificate: z.string(),
      /** PEM, both or neither. */
      clientCertificate: z.string(),
      clientKey: z.string(),
    })
    .readonly(),
)
export const CONFIG_KEY = 'config'
export type Config = ReturnType<typeof configs.decode>

/** Roles of accounts that are made on demand. */
export const dynamicRoles = kind(
  'ldap-dynamic-role',
  z
    .object({
      creationLdif: z.string(),
      deletionLdif: z.string(),
      rollbackLdif: z.string(),
      usernameTemplate: z.string(),
      /** Seconds; 0: the mount's. */
      defaultTtlSeconds: z.number(),
      maxTtlSeconds: z.number(),
    })
    .readonly(),
)
export const DYNAMIC_ROLES_PREFIX = 'role/'
export type DynamicRole = ReturnType<typeof dynamicRoles.decode>
