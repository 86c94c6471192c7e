import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judge } from '../../test/support/policy-reference.ts'
import type { AclRequest } from './acl.ts'
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
import type { Policy } from './policy.ts'

function agree(all: readonly Policy[], asked: readonly AclRequest[]): void {
  const acl = compileAcl(all, { nowMs: 0 })
  for (const one of asked) {
    const verdict = judge(all, one)
    const decision = acl.check(one)
    expect({
      allowed: decision.allowed,
      granting: decision.grantingPolicies.map(
        (policy) => `${policy.namespace_path ?? ''}:${policy.name}`,
      ),
      limit: decision.limit,
    }).toEqual({ allowed: verdict.allowed, granting: verdict.granting, limit: verdict.limit })
    const { path, namespacePath } = one
    const listed = judge(all, { operation: 'list', path, namespacePath })
    expect(acl.capabilities(path, namespacePath)).toEqual(listed.capabilities)
    expect(acl.sudo(path, namespacePath)).toBe(listed.capabilities.includes('sudo'))
  }
}

test('the compiled form decides as the reference does: which rule applies', () => {
  fc.assert(fc.property(policies(rulePath, plainRule, 6), widely, agree), { numRuns: 6_000 })
})

test('the compiled form decides as the reference does: parameters, wrapping, limits', () => {
  fc.assert(fc.property(policies(fewPaths, richRule, 3), narrowly, agree), { numRuns: 6_000 })
})

test('most of what is generated is worth deciding', () => {
  const samples = fc.sample(fc.tuple(policies(fewPaths, richRule, 3), narrowly), {
    numRuns: 2_000,
    seed: 1,
  })
  const allowed = samples.filter(
    ([all, [one]]) => one !== undefined && judge(all, one).allowed,
  ).length
  expect(allowed).toBeGreaterThan(100)
  expect(allowed).toBeLessThan(1_900)
})
