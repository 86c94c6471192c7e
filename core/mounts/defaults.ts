/** The mounts that each namespace has from its beginning, and how a mount entry is made. */
import type { Random } from '../random.ts'
import type { MountConfig, MountEntry } from './record.ts'

const DEFAULT_CONFIG: MountConfig = {
  defaultTtlSeconds: 0,
  maxTtlSeconds: 0,
  forceNoCache: false,
}

export interface NewMount {
  readonly path: string
  readonly kind: 'secret' | 'auth'
  readonly type: string
  /** Of an external plugin. */
  readonly pluginVersion?: string | undefined
  readonly description: string
  readonly local?: boolean
  readonly sealWrap?: boolean
  readonly externalEntropyAccess?: boolean
  readonly options?: Readonly<Record<string, string>> | null
  readonly config?: Partial<MountConfig>
}

export function newMount(mount: NewMount, random: Random): MountEntry {
  const family = mount.kind === 'auth' ? `auth_${mount.type}` : mount.type
  return {
    uuid: random.uuid(),
    path: mount.path,
    kind: mount.kind,
    type: mount.type,
    ...(mount.pluginVersion !== undefined && { pluginVersion: mount.pluginVersion }),
    description: mount.description,
    accessor: `${family}_${random.bytes(4).toString('hex')}`,
    local: mount.local ?? false,
    sealWrap: mount.sealWrap ?? false,
    externalEntropyAccess: mount.externalEntropyAccess ?? false,
    options: mount.options ?? null,
    config: { ...DEFAULT_CONFIG, ...mount.config },
  }
}

/** Texts and settings are Vault's: clients compare them. */
export function defaultMounts(random: Random): readonly MountEntry[] {
  const mounts: readonly NewMount[] = [
    {
      path: 'sys/',
      kind: 'secret',
      type: 'system',
      description: 'system endpoints used for control, policy and debugging',
      sealWrap: true,
      config: { passthroughRequestHeaders: ['Accept'] },
    },
    {
      path: 'identity/',
      kind: 'secret',
      type: 'identity',
      description: 'identity store',
      config: { passthroughRequestHeaders: ['Authorization'] },
    },
    {
      path: 'cubbyhole/',
      kind: 'secret',
      type: 'cubbyhole',
      description: 'per-token private secret storage',
      local: true,
    },
    {
      path: 'auth/token/',
      kind: 'auth',
      type: 'token',
      description: 'token based credentials',
      config: { tokenType: 'default-service' },
    },
  ]
  return mounts.map((mount) => newMount(mount, random))
}
