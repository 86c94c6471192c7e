/**
 * What a rule can grant, as names on the wire and as bits inside.
 */

/** In the order in which lists of them are answered. */
export const CAPABILITIES = [
  'create',
  'delete',
  'deny',
  'list',
  'patch',
  'read',
  'scan',
  'sudo',
  'update',
] as const

export type Capability = (typeof CAPABILITIES)[number]

export const CAPABILITY_BIT = {
  create: 1,
  delete: 2,
  deny: 4,
  list: 8,
  patch: 16,
  read: 32,
  scan: 64,
  sudo: 128,
  update: 256,
} as const satisfies Readonly<Record<Capability, number>>

export function isCapability(name: string): name is Capability {
  return Object.hasOwn(CAPABILITY_BIT, name)
}

/** Names in order; `["deny"]` where it is denied or nothing is granted. */
export function capabilityNames(bits: number): readonly Capability[] {
  if (bits === 0 || (bits & CAPABILITY_BIT.deny) !== 0) return ['deny']
  return CAPABILITIES.filter((name) => (bits & CAPABILITY_BIT[name]) !== 0)
}

/** What a request may want to do; the pipeline's closed set. `create` or `update` of a write: its caller decides. */
export type AclOperation =
  | 'create'
  | 'read'
  | 'update'
  | 'patch'
  | 'delete'
  | 'list'
  | 'scan'
  | 'renew'
  | 'revoke'
  | 'rollback'
  | 'header'
  | 'help'

/** The capability that an operation needs; 0: no capability grants it. `help` is always allowed. */
export const NEEDED_BIT: Readonly<Record<AclOperation, number>> = {
  create: CAPABILITY_BIT.create,
  read: CAPABILITY_BIT.read,
  update: CAPABILITY_BIT.update,
  patch: CAPABILITY_BIT.patch,
  delete: CAPABILITY_BIT.delete,
  list: CAPABILITY_BIT.list,
  scan: CAPABILITY_BIT.scan,
  renew: CAPABILITY_BIT.update,
  revoke: CAPABILITY_BIT.update,
  rollback: CAPABILITY_BIT.update,
  header: 0,
  help: 0,
}
