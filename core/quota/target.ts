/** What quotas are about, made ready to find the one that holds for a request or a lease: the most specific. */
import { z, type ZodType } from 'zod'
import { findNamespace, ROOT } from '../namespaces.ts'
import type { View } from '../store/view.ts'

/** What a quota is about: a namespace, a mount, a part of one, or a role of one. */
export interface Target {
  readonly namespaceId: string
  /** Empty: all of the namespace. */
  readonly mountUuid: string
  /** Below the mount, canonical, without a '/' at its end; with `*` at its end, all that begins so. Empty: all of it. */
  readonly suffix: string
  /** Empty: whatever the role is. */
  readonly role: string
}

export interface Targeted extends Target {
  /** Of a namespace: it holds in those below too, where none of their own does. */
  readonly inheritable: boolean
}

/** The same, as it is stored. */
export const targetFields = {
  namespaceId: z.string(),
  mountUuid: z.string(),
  suffix: z.string(),
  role: z.string(),
  inheritable: z.boolean(),
} satisfies Record<keyof Targeted, ZodType>

/** Two quotas that are about the same would be one too many. */
export function targetKey({ namespaceId, mountUuid, suffix, role }: Target): string {
  return mountUuid === '' ? `namespace ${namespaceId}` : `${mountUuid} ${role}\n${suffix}`
}

export class TargetTable<Q extends Targeted> {
  readonly #byTarget = new Map<string, Q>()
  /** By mount, those with `*` at the end of their paths, the longest first. */
  readonly #globs = new Map<string, Q[]>()

  constructor(quotas: readonly Q[]) {
    for (const quota of quotas) this.#add(quota)
    for (const globs of this.#globs.values())
      globs.sort((a, b) => b.suffix.length - a.suffix.length)
  }

  #add(quota: Q): void {
    const { mountUuid, suffix } = quota
    if (!suffix.endsWith('*')) {
      this.#byTarget.set(targetKey(quota), quota)
      return
    }
    const others = this.#globs.get(mountUuid)
    if (others === undefined) this.#globs.set(mountUuid, [quota])
    else others.push(quota)
  }

  /** hot: by role, path, beginning of the path, mount, namespace, and the namespaces above, the nearest first. */
  async find(root: View, asked: Target): Promise<Q | undefined> {
    return this.#ofMount(asked) ?? (await this.#ofNamespace(root, asked.namespaceId))
  }

  #ofMount({ namespaceId, mountUuid, suffix, role }: Target): Q | undefined {
    if (mountUuid === '') return undefined
    const at = { namespaceId, mountUuid, suffix: '', role: '' }
    return (
      (role === '' ? undefined : this.#byTarget.get(targetKey({ ...at, role }))) ??
      (suffix === '' ? undefined : this.#byTarget.get(targetKey({ ...at, suffix }))) ??
      this.#globs.get(mountUuid)?.find((quota) => suffix.startsWith(quota.suffix.slice(0, -1))) ??
      this.#byTarget.get(targetKey(at))
    )
  }

  async #ofNamespace(root: View, namespaceId: string): Promise<Q | undefined> {
    const own = this.#whole(namespaceId)
    if (own !== undefined) return own
    for (let id = namespaceId; id !== ROOT.id;) {
      const parentId: string = (await findNamespace(root, id))?.parentId ?? ROOT.id
      const quota = this.#whole(parentId)
      if (quota?.inheritable) return quota
      id = parentId
    }
    return undefined
  }

  #whole(namespaceId: string): Q | undefined {
    return this.#byTarget.get(targetKey({ namespaceId, mountUuid: '', suffix: '', role: '' }))
  }
}
