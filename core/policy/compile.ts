/**
 * From policies to what answers for each request.
 */
import { Acl } from './acl.ts'
import type { Policy } from './policy.ts'

/**
 * @param policies of one token, of any namespaces, with `renderTemplates` done: what is still a template grants nothing.
 *   Policy `root` must be alone.
 * @param nowMs rules that have expired by then are left out; `Acl.expiresAtMs` says when to compile again
 * @param untilMs when the first of the policies ends as a whole
 */
export function compileAcl(
  policies: readonly Policy[],
  { nowMs, untilMs = Infinity }: { nowMs: number; untilMs?: number },
): Acl {
  let expiresAtMs = untilMs
  const alive = policies.map((policy) => ({
    ...policy,
    rules: policy.rules.filter((rule) => {
      if (rule.path.includes('{{')) return false
      if (rule.expiresAtMs === undefined) return true
      if (rule.expiresAtMs <= nowMs) return false
      expiresAtMs = Math.min(expiresAtMs, rule.expiresAtMs)
      return true
    }),
  }))
  return new Acl(alive, expiresAtMs)
}

/** The policy `root`, whose namespace and those below it are open to its holder. */
export function rootPolicy(namespace: Policy['namespace']): Policy {
  return { name: 'root', namespace, rules: [], templated: false }
}
