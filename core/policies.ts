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
import type { Identity } from './identity/rights.ts'
import { namespaceById, namespacePrefix } from './namespaces.ts'
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
  /** Records of identity and policies that it was made of. */
  readonly sources: readonly unknown[]
  readonly acl: Acl
}

/** Policies by their names in one namespace. */
interface NamedPolicies {
  readonly namespace: PolicyNamespace
  readonly names: readonly string[]
}

/** The compiled policies of each set of names, good while the records that they were made of are those, and alive. */
export class AclCache {
  readonly #compiled = new LRUCache<string, Compiled>({ max: MAX_COMPILED })

  /**
   * hot: what a token with these policies may do. Names of no policy grant nothing.
   *
   * @param identity whose token it is: it adds its own policies, and policies speak of it
   */
  async acl(
    root: View,
    namespace: PolicyNamespace,
    names: readonly string[],
    nowMs: number,
    identity?: Identity,
  ): Promise<Acl> {
    const sets = [{ namespace, names }, ...(await policiesBeside(root, namespace, names, identity))]
    const key = keyOf(sets, identity)
    const known = this.#compiled.get(key)
    const records: (PolicyRecord | undefined)[] = []
    for (const set of sets) {
      for (const name of set.names) {
        records.push(await root.get(policyRecords, policyKey(set.namespace.id, name)))
      }
    }
    const sources = identity === undefined ? records : [...records, ...identity.records]
    if (known !== undefined && nowMs < known.acl.expiresAtMs && isSame(known.sources, sources)) {
      return known.acl
    }
    const acl = compile(sets, records, nowMs, identity?.facts)
    this.#compiled.set(key, { sources, acl })
    return acl
  }

  clear(): void {
    this.#compiled.clear()
  }
}

/** What identity adds. Policies of a namespace that is gone grant nothing. */
async function policiesBeside(
  root: View,
  own: PolicyNamespace,
  ownNames: readonly string[],
  identity: Identity | undefined,
): Promise<readonly NamedPolicies[]> {
  const sets: NamedPolicies[] = []
  for (const { namespaceId, names } of identity?.policies ?? []) {
    const namespace = await namespaceById(root, namespaceId)
    if (namespace === undefined) continue
    const isNew = (name: string) => namespaceId !== own.id || !ownNames.includes(name)
    sets.push({ namespace, names: names.filter(isNew) })
  }
  return sets
}

function keyOf(sets: readonly NamedPolicies[], identity: Identity | undefined): string {
  const key = sets
    .map(({ namespace, names }) => `${namespace.id}\n${names.join('\n')}`)
    .join('\n\n')
  return identity === undefined ? key : `${identity.facts.entity.id}\n\n${key}`
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false
  return a.every((one, i) => one === b[i])
}

function compile(
  sets: readonly NamedPolicies[],
  records: readonly (PolicyRecord | undefined)[],
  nowMs: number,
  identity: IdentityFacts | undefined,
): Acl {
  const [own] = sets
  if (own?.names.includes(ROOT_POLICY)) return compileAcl([rootPolicy(own.namespace)], { nowMs })
  const policies: Policy[] = []
  let untilMs = Infinity
  let at = 0
  for (const { namespace, names } of sets) {
    for (const name of names) {
      const record = records[at++]
      if (name === RESPONSE_WRAPPING_POLICY) {
        policies.push(parsePolicy(RESPONSE_WRAPPING_POLICY_TEXT, { name, namespace }))
      }
      if (record === undefined || !isLiving(record, nowMs)) continue
      untilMs = Math.min(untilMs, record.expiresAtMs ?? Infinity)
      const options = { allowWildcards: record.allowWildcards, allowSlashes: record.allowSlashes }
      const policy = parsePolicy(record.text, { name, namespace })
      policies.push(renderTemplates(policy, identity, options))
    }
  }
  return compileAcl(policies, { nowMs, untilMs })
}
