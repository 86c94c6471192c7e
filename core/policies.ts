/** Policies as they are stored, and the compiled form of each set of them that tokens have. */
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Acl } from './policy/acl.ts'
import { compileAcl, rootPolicy } from './policy/compile.ts'
import { RESPONSE_WRAPPING_POLICY_TEXT } from './policy/defaults.ts'
import { RESPONSE_WRAPPING_POLICY, ROOT_POLICY } from './policy/names.ts'
import { parsePolicy } from './policy/parse.ts'
import type { Policy, PolicyNamespace } from './policy/policy.ts'
import { renderTemplates, type IdentityFacts } from './policy/template.ts'
import { namespacePrefix } from './namespaces.ts'
import { kind } from './store/kind.ts'
import type { View } from './store/view.ts'

const policySchema = z
  .object({
    name: z.string(),
    /** As it was written, comments and all. */
    text: z.string(),
    version: z.number().int(),
    casRequired: z.boolean(),
    allowWildcards: z.boolean(),
    allowSlashes: z.boolean(),
    modifiedAtMs: z.number(),
    /** `null`: never. */
    expiresAtMs: z.number().nullable(),
  })
  .readonly()
export type PolicyRecord = z.infer<typeof policySchema>
export const policyRecords = kind('policy', policySchema)

export const policyPrefix = (namespaceId: string) => `${namespacePrefix(namespaceId)}policy/`
export const policyKey = (namespaceId: string, name: string) => policyPrefix(namespaceId) + name

/** A policy with nothing but its text. */
export function newPolicy(name: string, text: string, nowMs: number): PolicyRecord {
  return {
    name,
    text,
    version: 1,
    casRequired: false,
    allowWildcards: false,
    allowSlashes: false,
    modifiedAtMs: nowMs,
    expiresAtMs: null,
  }
}

/** The policy of this name, unless it has ended: then it is there no more, though its record may be. */
export async function findPolicy(
  root: View,
  namespaceId: string,
  name: string,
  nowMs: number,
): Promise<PolicyRecord | undefined> {
  const record = await root.get(policyRecords, policyKey(namespaceId, name))
  return record !== undefined && isLiving(record, nowMs) ? record : undefined
}

export function isLiving(
  { expiresAtMs }: Pick<PolicyRecord, 'expiresAtMs'>,
  nowMs: number,
): boolean {
  return expiresAtMs === null || nowMs < expiresAtMs
}

/** Sets of policies whose compiled form is kept. */
const MAX_COMPILED = 4096

interface Compiled {
  readonly records: readonly (PolicyRecord | undefined)[]
  readonly acl: Acl
}

/** The compiled policies of each set of names, good while the records that they were made of are those, and alive. */
export class AclCache {
  readonly #compiled = new LRUCache<string, Compiled>({ max: MAX_COMPILED })

  /**
   * hot: what a token with these policies may do. Names of no policy grant nothing.
   *
   * @param identity whose token it is, for policies that speak of it
   */
  async acl(
    root: View,
    namespace: PolicyNamespace,
    names: readonly string[],
    nowMs: number,
    identity?: IdentityFacts,
  ): Promise<Acl> {
    const key = `${namespace.id}\n${names.join('\n')}`
    const known = identity === undefined ? this.#compiled.get(key) : undefined
    const records: (PolicyRecord | undefined)[] = []
    let same = known !== undefined && nowMs < known.acl.expiresAtMs
    for (let i = 0; i < names.length; i++) {
      const record = await root.get(policyRecords, policyKey(namespace.id, names[i] ?? ''))
      records.push(record)
      same &&= record === known?.records[i]
    }
    if (known !== undefined && same) return known.acl
    const acl = compile(namespace, names, records, nowMs, identity)
    if (identity === undefined) this.#compiled.set(key, { records, acl })
    return acl
  }

  clear(): void {
    this.#compiled.clear()
  }
}

function compile(
  namespace: PolicyNamespace,
  names: readonly string[],
  records: readonly (PolicyRecord | undefined)[],
  nowMs: number,
  identity: IdentityFacts | undefined,
): Acl {
  if (names.includes(ROOT_POLICY)) return compileAcl([rootPolicy(namespace)], { nowMs })
  const policies: Policy[] = []
  let untilMs = Infinity
  names.forEach((name, i) => {
    if (name === RESPONSE_WRAPPING_POLICY) {
      policies.push(parsePolicy(RESPONSE_WRAPPING_POLICY_TEXT, { name, namespace }))
    }
    const record = records[i]
    if (record === undefined || !isLiving(record, nowMs)) return
    untilMs = Math.min(untilMs, record.expiresAtMs ?? Infinity)
    const options = { allowWildcards: record.allowWildcards, allowSlashes: record.allowSlashes }
    policies.push(renderTemplates(parsePolicy(record.text, { name, namespace }), identity, options))
  })
  return compileAcl(policies, { nowMs, untilMs })
}
