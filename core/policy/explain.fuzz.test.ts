import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Acl, AclRequest } from './acl.ts'
import {
  fewPaths,
  narrowly,
  plainRule,
  policies,
  richRule,
  rulePath,
  widely,
} from './cases.fixture.ts'
import { compileAcl } from './compile.ts'
import { explain, type Explanation, type Missing } from './explain.ts'
import { parsePolicy } from './parse.ts'
import { ROOT_NAMESPACE, type Policy } from './policy.ts'

/** Requests that are compared, of each of the two kinds. */
const CASES = 50_000

/** Plain comparisons: `expect` would take most of the time. */
function disagreement(acl: Acl, request: AclRequest): string | undefined {
  const decision = acl.check(request)
  const { allowed, missing, rule, by } = explain(acl, request)
  if (allowed !== decision.allowed) return `allowed: ${allowed}`
  if (allowed !== (missing.length === 0)) return `missing: ${JSON.stringify(missing)}`
  if (by === 'everybody') return undefined
  const sources = rule?.sources.map(({ policy, line }) => `${policy}:${line}`) ?? []
  const granting = decision.grantingPolicies.filter(
    ({ name, namespace_id }) =>
      !rule?.sources.some(
        ({ policy, namespace }) => policy === name && namespace.id === namespace_id,
      ),
  )
  if (granting.length > 0) return `granted by ${granting[0]?.name}, not by ${sources.join(', ')}`
  const decided = decision.rule?.sources.map(({ policy, line }) => `${policy}:${line}`)
  if (decided !== undefined && decided.join() !== sources.join()) return `rule: ${sources.join()}`
  return undefined
}

/** @returns how many requests were compared */
function compare(
  all: fc.Arbitrary<readonly Policy[]>,
  asked: fc.Arbitrary<readonly AclRequest[]>,
): { allowed: number; refused: number } {
  const seen = { allowed: 0, refused: 0 }
  while (seen.allowed + seen.refused < CASES) {
    fc.assert(
      fc.property(all, asked, (set, requests) => {
        const acl = compileAcl(set, { nowMs: 0 })
        for (const request of requests) {
          expect(disagreement(acl, request)).toBeUndefined()
          seen[acl.check(request).allowed ? 'allowed' : 'refused']++
        }
      }),
      { numRuns: 5_000 },
    )
  }
  return seen
}

test('an explanation says what the decision says, and names its rule: which rule applies', () => {
  const { allowed, refused } = compare(policies(rulePath, plainRule, 6), widely)
  expect(Math.min(allowed, refused)).toBeGreaterThan(CASES / 50)
}, 20_000)

test('an explanation says what the decision says: parameters, wrapping, limits', () => {
  const { allowed, refused } = compare(policies(fewPaths, richRule, 3), narrowly)
  expect(Math.min(allowed, refused)).toBeGreaterThan(CASES / 50)
}, 20_000)

test('what an explanation names as missing is what the request needs', () => {
  fc.assert(
    fc.property(policies(fewPaths, richRule, 3), narrowly, (set, requests) => {
      for (const request of requests) {
        const before = compileAcl(set, { nowMs: 0 })
        const found = explain(before, request)
        const required =
          before.check(request).rule?.requiredParameters.map((name) => name.toLowerCase()) ?? []
        if (!found.missing.every((one) => canBeMended(one, required))) continue
        const acl = compileAcl([...set, ...granting(found, request)], { nowMs: 0 })
        expect(acl.check(mended(request, found)).allowed).toBe(true)
      }
    }),
    { numRuns: 5_000 },
  )
})

/** A deny rule stays, and a parameter that the rule both demands and forbids cannot be given right. */
function canBeMended(one: Missing, required: readonly string[]): boolean {
  switch (one.kind) {
    case 'capability':
    case 'sudo':
    case 'page_size':
      return true
    case 'wrapping':
      return one.maxSeconds === 0 || one.maxSeconds >= one.minSeconds
    case 'parameter':
      return one.problem !== 'required' && !required.includes(one.parameter.toLowerCase())
    default:
      return false
  }
}

/** A policy that grants the missing capabilities on the path of the rule, or of the request where there is none. */
function granting({ missing, rule }: Explanation, { namespacePath, path }: AclRequest): Policy[] {
  const capabilities = missing.flatMap((one) =>
    one.kind === 'capability' ? [one.capability] : one.kind === 'sudo' ? ['sudo'] : [],
  )
  if (capabilities.length === 0) return []
  const full = namespacePath + (rule?.path ?? path)
  const text = JSON.stringify({ path: [{ [full]: { capabilities } }] })
  return [parsePolicy(text, { name: 'more', namespace: ROOT_NAMESPACE })]
}

function mended(request: AclRequest, { missing }: Explanation): AclRequest {
  return missing.reduce(mend, request)
}

function mend(request: AclRequest, one: Missing): AclRequest {
  switch (one.kind) {
    case 'wrapping':
      return { ...request, wrapTtlSeconds: one.minSeconds || one.maxSeconds }
    case 'page_size':
      return { ...request, data: { ...request.data, limit: one.maximum } }
    case 'parameter': {
      const { [one.parameter]: _faulty, ...data } = request.data ?? {}
      return { ...request, data }
    }
    default:
      return request
  }
}
