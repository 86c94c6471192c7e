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
      /** When a rotation that has not ended is gone on with. */
      nextBindAtMs: z.number(),
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

/** Roles of existing accounts, whose passwords are kept and changed. */
export const staticRoles = kind(
  'ldap-static-role',
  z
    .object({
      username: z.string(),
      /** Empty: it is searched by its name. */
      dn: z.string(),
      /** Empty: it has never been changed here, so nobody knows it. */
      password: z.string(),
      lastPassword: z.string(),
      /** One that a rotation was about to set; empty: none. What was begun goes on with it, never with another. */
      nextPassword: z.string(),
      /** How many rotations have begun: who ends one that is not the last knows that another came between. */
      attempts: z.number().int(),
      /** Of those, how many in a row have not ended well. */
      failures: z.number().int(),
      createdAtMs: z.number(),
      /** 0: never. */
      rotatedAtMs: z.number(),
      /** When it is tried next; the same time is in the key of its `ldap-rotation`. */
      dueAtMs: z.number(),
      /** Seconds; 0 where there is a schedule. */
      periodSeconds: z.number(),
      /** Cron's five fields; empty where there is a period. */
      schedule: z.string(),
      /** Seconds after a time of the schedule; 0: however late. */
      windowSeconds: z.number(),
    })
    .readonly(),
)
export const STATIC_ROLES_PREFIX = 'static-role/'
export type StaticRole = ReturnType<typeof staticRoles.decode>

/** That a static role is due at the time in its key. */
export const rotations = kind('ldap-rotation', z.object({ name: z.string() }).readonly(), {
  keptWhenWritten: false,
})
export const ROTATIONS_PREFIX = 'rotation/'

/** Which role or set manages an account: never two of them. */
export const managed = kind(
  'ldap-managed',
  z
    .object({
      /** The key of the role or set. */
      owner: z.string(),
      /** The request that takes it over; empty: it is taken over. */
      request: z.string(),
      /** Until then it counts though it is not taken over; 0 where it is. */
      untilMs: z.number(),
    })
    .readonly(),
)
export const MANAGED_PREFIX = 'managed/'

/** Sets of accounts that are lent. */
export const librarySets = kind(
  'ldap-library-set',
  z
    .object({
      accounts: z.array(z.string()).readonly(),
      /** Seconds. */
      ttlSeconds: z.number(),
      maxTtlSeconds: z.number(),
      /** Whoever may check in, may check in what others have. */
      checkInIsFree: z.boolean(),
    })
    .readonly(),
)
export const LIBRARY_PREFIX = 'library/'
export type LibrarySet = ReturnType<typeof librarySets.decode>

/** An account of a set. */
export const libraryAccounts = kind(
  'ldap-library-account',
  z
    .object({
      password: z.string(),
      loan: z
        .object({
          id: z.string(),
          entityId: z.string(),
          /** Of the borrower's token. */
          accessor: z.string(),
          /** What it gets when it comes back: decided now, so that every way back ends at the same. */
          nextPassword: z.string(),
        })
        .readonly()
        .nullable(),
    })
    .readonly(),
)
export const LIBRARY_ACCOUNTS_PREFIX = 'library-account/'
export type LibraryAccount = ReturnType<typeof libraryAccounts.decode>
