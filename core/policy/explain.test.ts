import { describe, expect, test } from 'vitest'
import type { AclRequest } from './acl.ts'
import { compileAcl, rootPolicy } from './compile.ts'
import { explain, type Explanation } from './explain.ts'
import { parsePolicy } from './parse.ts'
import { ROOT_NAMESPACE, type PolicyNamespace } from './policy.ts'

const CHILD: PolicyNamespace = { id: 'nsnsns', path: 'team/' }

const TEXT = `
path "secret/*" {
  capabilities = ["read", "list"]
}
path "secret/+/key" {
  capabilities = ["deny"]
}
path "secret/app" {
  capabilities = ["update"]
  denied_parameters = { ttl = [] }
  required_parameters = ["name"]
}
path "sys/seal" { capabilities = ["update"] }
path "wrapped" {
  capabilities = ["read"]
  min_wrapping_ttl = "1m"
}
path "many/" {
  capabilities = ["list"]
  pagination_limit = 10
}
path "two/eyes" {
  capabilities = ["read"]
  control_group = { factor "boss" { identity { group_names = ["bosses"] approvals = 1 } } }
}`

function why(
  operation: AclRequest['operation'],
  path: string,
  more: Partial<AclRequest> = {},
): Explanation {
  const policy = parsePolicy(TEXT, { name: 'app', namespace: ROOT_NAMESPACE })
  return explain(compileAcl([policy], { nowMs: 0 }), {
    namespacePath: '',
    ...more,
    operation,
    path,
  })
}

describe('an explanation names', () => {
  test('the rule that decides, its policy and its line, and the rules that it is closer than', () => {
    expect(why('read', 'secret/a/key')).toMatchObject({
      allowed: false,
      by: 'rule',
      rule: {
        path: 'secret/+/key',
        capabilities: ['deny'],
        sources: [{ policy: 'app', path: 'secret/+/key', line: 5 }],
      },
      overruled: [{ path: 'secret/*', capabilities: ['list', 'read'], sources: [{ line: 2 }] }],
    })
  })

  test('every policy with a rule of this very path, each with its place', () => {
    const owner = { name: 'one', namespace: ROOT_NAMESPACE }
    const one = parsePolicy('path "a" { policy = "read" }', owner)
    const two = parsePolicy('\npath "/a" { policy = "sudo" }', { ...owner, name: 'two' })
    const request = { operation: 'read', namespacePath: '', path: 'a' } as const
    expect(explain(compileAcl([one, two], { nowMs: 0 }), request).rule?.sources).toMatchObject([
      { policy: 'one', line: 1, capabilities: ['list', 'read'] },
      { policy: 'two', line: 2 },
    ])
  })

  test('the path of a rule as its policy has it, where the policy is of a namespace above', () => {
    const policy = parsePolicy('path "team/secret/*" { policy = "read" }', {
      name: 'above',
      namespace: ROOT_NAMESPACE,
    })
    const found = explain(compileAcl([policy], { nowMs: 0 }), {
      operation: 'read',
      namespacePath: CHILD.path,
      path: 'secret/a',
    })
    expect(found.rule?.path).toBe('secret/*')
    expect(found.rule?.sources[0]?.path).toBe('team/secret/*')
  })
})

describe('a refused request lacks', () => {
  test.each<[string, Explanation, Explanation['missing']]>([
    ['a rule', why('read', 'other'), [{ kind: 'capability', capability: 'read' }]],
    ['a capability', why('delete', 'secret/a'), [{ kind: 'capability', capability: 'delete' }]],
    ['sudo', why('update', 'sys/seal', { needsSudo: true }), [{ kind: 'sudo' }]],
    [
      'parameters as the rule has them',
      why('update', 'secret/app', { data: { TTL: '1h' } }),
      [
        { kind: 'parameter', parameter: 'name', problem: 'required' },
        { kind: 'parameter', parameter: 'TTL', problem: 'denied' },
      ],
    ],
    ['wrapping', why('read', 'wrapped'), [{ kind: 'wrapping', minSeconds: 60, maxSeconds: 0 }]],
    [
      'a smaller page',
      why('list', 'many/', { data: { limit: 11 } }),
      [{ kind: 'page_size', maximum: 10 }],
    ],
    ['approval', why('read', 'two/eyes'), [{ kind: 'approval' }]],
  ])('%s', (_what, found, missing) => {
    expect(found.allowed).toBe(false)
    expect(found.missing).toEqual(missing)
  })

  test('nothing that could be granted, where a rule denies', () => {
    expect(why('list', 'secret/a/key/').missing).toEqual([{ kind: 'no_deny' }])
  })

  test('its namespace, where it comes with the policy root of another', () => {
    const acl = compileAcl([rootPolicy(CHILD)], { nowMs: 0 })
    const request = { operation: 'read', path: 'a' } as const
    expect(explain(acl, { ...request, namespacePath: '' }).missing).toEqual([{ kind: 'namespace' }])
    expect(explain(acl, { ...request, namespacePath: 'team/' })).toMatchObject({
      allowed: true,
      by: 'root',
    })
  })
})
