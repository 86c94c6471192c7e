import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../json.ts'
import type { Acl, AclRequest } from './acl.ts'
import { compileAcl, rootPolicy } from './compile.ts'
import { parsePolicy } from './parse.ts'
import { ROOT_NAMESPACE, type PolicyNamespace } from './policy.ts'
import { resultantAcl } from './resultant.ts'
import { parseObject } from '../../test/support/json.ts'

const CHILD: PolicyNamespace = { id: 'nsnsns', path: 'ns1/' }

function acl(...texts: readonly string[]): Acl {
  return compileAcl(
    texts.map((text, index) => parsePolicy(text, { name: `p${index}`, namespace: ROOT_NAMESPACE })),
    { nowMs: 0 },
  )
}

/** `path: capability...` a line. */
function grants(...lines: readonly string[]): Acl {
  return acl(
    lines
      .map((line) => line.split(': '))
      .map(
        ([path, names = '']) =>
          `path "${path}" { capabilities = ${JSON.stringify(names.split(' '))} }`,
      )
      .join('\n'),
  )
}

function allows(
  one: Acl,
  operation: AclRequest['operation'],
  path: string,
  more: Partial<AclRequest> = {},
): boolean {
  return one.check({ namespacePath: '', ...more, operation, path }).allowed
}

describe('which rule applies', () => {
  test.each([
    [
      'an exact path before any wildcard',
      ['a/b: read', 'a/*: update', '+/b: delete'],
      'a/b',
      'read',
    ],
    ['the later wildcard', ['a/+/c: read', '+/b/c: update'], 'a/b/c', 'read'],
    ['the later wildcard, be it a star', ['a/b*: read', 'a/+: update'], 'a/bc', 'read'],
    ['no star before a star', ['a/+: read', 'a/*: update'], 'a/b', 'read'],
    ['fewer segments', ['a/+/c/*: read', 'a/+/+/*: update'], 'a/b/c/d', 'read'],
    ['the longer one', ['+/+/ab: read', '+/a/+: update'], 'b/a/ab', 'read'],
    ['the greater one', ['+/a/+: read', '+/+/a: update'], 'b/a/a', 'read'],
    ['the longer prefix', ['a/b/*: read', 'a/*: update', '*: delete'], 'a/b/c', 'read'],
    ['the prefix, at its end', ['a/*: read'], 'a/', 'read'],
    ['the path without the slash that policies may have', ['/a: read'], 'a', 'read'],
    ['a star within the path as itself', ['a*/b: read'], 'a*/b', 'read'],
    ['a plus within a segment as itself', ['a/+b: read'], 'a/+b', 'read'],
    ['any segment, an empty last one too', ['a/+: read'], 'a/', 'read'],
  ])('is %s', (_what, lines, path, capability) => {
    expect(grants(...lines).capabilities(path)).toEqual([capability])
    expect(grants(...lines.toReversed()).capabilities(path)).toEqual([capability])
  })

  test.each([
    ['a prefix is not its folder', 'a/*', 'a'],
    ['a segment is one only', 'a/+', 'a/b/c'],
    ['a segment is a whole one', 'a/+b', 'a/xb'],
    ['a star within is no wildcard', 'a*/b', 'ax/b'],
    ['case counts', 'a/B', 'a/b'],
    ['a longer path is another', 'a/b', 'a/b/c'],
  ])('not when %s', (_what, pattern, path) => {
    expect(grants(`${pattern}: read`).capabilities(path)).toEqual(['deny'])
  })

  test('never a union of several paths', () => {
    expect(grants('a/*: read', 'a/b*: update').capabilities('a/bc')).toEqual(['update'])
    expect(allows(grants('a/*: read', 'a/b*: deny'), 'read', 'a/bc')).toBe(false)
    expect(allows(grants('a/*: deny', 'a/b*: read'), 'read', 'a/bc')).toBe(true)
  })

  test('nothing: it is denied, and no policy is named', () => {
    expect(acl().check({ operation: 'read', namespacePath: '', path: 'a' })).toMatchObject({
      allowed: false,
      grantingPolicies: [],
      rule: undefined,
    })
  })
})

describe('a list or scan', () => {
  test('takes a rule without the slash', () => {
    const one = grants('a/b: list', 'c/+: scan')
    expect(allows(one, 'list', 'a/b/')).toBe(true)
    expect(allows(one, 'scan', 'c/d/')).toBe(true)
    expect(allows(grants('a/b: read'), 'read', 'a/b/')).toBe(false)
  })

  test('tries the path with its slash first', () => {
    expect(allows(grants('a/b/: list', 'a/b: deny'), 'list', 'a/b/')).toBe(true)
    expect(allows(grants('a/*: list', 'a/+: read'), 'list', 'a/b/')).toBe(true)
  })

  test.each([
    [['a/*: list', 'a/b/*: deny'], 'a/b/'],
    [['a/*: list', 'a/+: deny'], 'a/b/'],
    [['a/*: list', 'a/b: deny'], 'a/b/'],
    [['*: list', '+/b: deny'], 'a/b/'],
    [['+/*: list', 'a/+: deny'], 'a/b/'],
  ])('row 2 (CVE-2026-63131): does not get round a closer denial: %j', (lines, path) => {
    expect(allows(grants(...lines), 'list', path)).toBe(false)
    expect(allows(grants(...lines.toReversed()), 'list', path)).toBe(false)
    expect(grants(...lines).capabilities(path)).toEqual(['deny'])
  })
})

describe('an operation', () => {
  test.each([
    ['read', 'read'],
    ['list', 'list'],
    ['scan', 'scan'],
    ['create', 'create'],
    ['update', 'update'],
    ['patch', 'patch'],
    ['delete', 'delete'],
    ['renew', 'update'],
    ['revoke', 'update'],
    ['rollback', 'update'],
  ] as const)('%s needs the capability %s and no other', (operation, capability) => {
    expect(allows(grants(`a: ${capability}`), operation, 'a')).toBe(true)
    const others = ['read', 'list', 'scan', 'create', 'update', 'patch', 'delete', 'sudo'].filter(
      (one) => one !== capability,
    )
    expect(allows(grants(`a: ${others.join(' ')}`), operation, 'a')).toBe(false)
  })

  test('help is for everybody, header for root only', () => {
    expect(allows(acl(), 'help', 'a')).toBe(true)
    expect(allows(grants('*: read list sudo update create delete'), 'header', 'a')).toBe(false)
  })

  test('on a protected path needs sudo too', () => {
    const one = grants('a: read sudo', 'b: read', 'c: sudo')
    expect(allows(one, 'read', 'a', { needsSudo: true })).toBe(true)
    expect(allows(one, 'read', 'b', { needsSudo: true })).toBe(false)
    expect(allows(one, 'read', 'c', { needsSudo: true })).toBe(false)
    expect([one.sudo('a'), one.sudo('b'), one.sudo('c'), one.sudo('d')]).toEqual([
      true,
      false,
      true,
      false,
    ])
  })
})

describe('several policies on one path', () => {
  test('add up, and each that grants the operation is named', () => {
    const one = acl(
      'path "a" { capabilities = ["read"] }',
      'path "a" { capabilities = ["update", "read"] }',
      'path "a" { capabilities = ["delete"] }\npath "a" { capabilities = ["delete"] }',
    )
    expect(one.capabilities('a')).toEqual(['delete', 'read', 'update'])
    const named = (operation: AclRequest['operation']) =>
      one
        .check({ operation, namespacePath: '', path: 'a' })
        .grantingPolicies.map(({ name }) => name)
    expect(named('read')).toEqual(['p0', 'p1'])
    expect(named('delete')).toEqual(['p2'])
    expect(named('list')).toEqual([])
  })

  test('but one denial denies', () => {
    const texts = ['path "a" { capabilities = ["read"] }', 'path "a" { policy = "deny" }']
    expect(acl(...texts).capabilities('a')).toEqual(['deny'])
    expect(acl(...texts.toReversed()).capabilities('a')).toEqual(['deny'])
  })

  test('an empty list of values swallows the others', () => {
    const one = acl(
      'path "a" { capabilities = ["update"] allowed_parameters = { k = ["x"] } }',
      'path "a" { capabilities = ["update"] allowed_parameters = { k = [] } }',
    )
    expect(allows(one, 'update', 'a', { data: { k: 'y' } })).toBe(true)
    const two = acl(
      'path "a" { capabilities = ["update"] denied_parameters = { k = ["x"] } }',
      'path "a" { capabilities = ["update"] denied_parameters = { k = [] } }',
    )
    expect(allows(two, 'update', 'a', { data: { k: 'y' } })).toBe(false)
  })

  test('are explained by policy and line', () => {
    const one = acl(
      '# c\npath "a" { capabilities = ["read"] }',
      'path "a" { capabilities = ["read"] }',
    )
    const { rule } = one.check({ operation: 'read', namespacePath: '', path: 'a' })
    expect(rule?.sources.map(({ policy, line }) => [policy, line])).toEqual([
      ['p0', 2],
      ['p1', 1],
    ])
  })
})

describe('wrapping', () => {
  const one = acl(`
    path "w" { capabilities = ["read"] min_wrapping_ttl = "1m" max_wrapping_ttl = "10m" }
    path "max" { capabilities = ["read"] max_wrapping_ttl = "10m" }`)

  test.each([
    ['w', undefined, false],
    ['w', 0, false],
    ['w', 59, false],
    ['w', 60, true],
    ['w', 600, true],
    ['w', 601, false],
    ['max', undefined, false],
    ['max', 1, true],
    ['max', 601, false],
  ])('of %s for %s seconds: %s', (path, wrapTtlSeconds, allowed) => {
    expect(allows(one, 'read', path, { wrapTtlSeconds })).toBe(allowed)
  })

  test('is told with its bounds', () => {
    const decision = one.check({
      operation: 'read',
      namespacePath: '',
      path: 'w',
      wrapTtlSeconds: 60,
    })
    expect(decision.wrapping).toEqual({ minSeconds: 60, maxSeconds: 600 })
  })

  test('whose bounds exclude each other, by two policies, allows nothing', () => {
    const two = acl(
      'path "a" { capabilities = ["read"] min_wrapping_ttl = 60 }',
      'path "a" { capabilities = ["read"] max_wrapping_ttl = 30 }',
    )
    expect(allows(two, 'read', 'a', { wrapTtlSeconds: 30 })).toBe(false)
    expect(allows(two, 'read', 'a', { wrapTtlSeconds: 60 })).toBe(false)
  })
})

describe('parameters', () => {
  function permits(
    rules: string,
    data: JsonObject | undefined,
    operation: AclRequest['operation'] = 'update',
  ): boolean {
    return allows(
      acl(`path "a" { capabilities = ["read", "update", "delete"] ${rules} }`),
      operation,
      'a',
      { data },
    )
  }

  test('as recorded', () => {
    const rules =
      'allowed_parameters = { "a" = ["x", "y*"] "b" = [] } denied_parameters = { "c" = [] } required_parameters = ["a"]'
    expect(permits(rules, { a: 'x' })).toBe(true)
    expect(permits(rules, { a: 'yes' })).toBe(true)
    expect(permits(rules, { a: 'no' })).toBe(false)
    expect(permits(rules, { b: 1 })).toBe(false)
    expect(permits(rules, { a: 'x', b: { deep: 1 } })).toBe(true)
    expect(permits(rules, { a: 'x', c: 1 })).toBe(false)
    expect(permits(rules, { a: 'x', d: 1 })).toBe(false)
    expect(permits(rules, { A: 'x' })).toBe(false)
    expect(permits(rules, undefined)).toBe(false)
    expect(permits(rules, undefined, 'delete')).toBe(true)
  })

  test('that are numbers match no number of a whitelist, and every number of a blacklist', () => {
    expect(permits('allowed_parameters = { n = [5] }', { n: 5 })).toBe(false)
    expect(permits('allowed_parameters = { n = ["5"] }', { n: '5' })).toBe(true)
    for (const n of [5, '5', JSON.rawJSON('5.0'), [5], [['5']], '4,5', '4, 5']) {
      expect(permits('denied_parameters = { n = [5] }', { n })).toBe(false)
    }
    expect(permits('denied_parameters = { n = [5] }', { n: 6 })).toBe(true)
  })

  test('that are null, lists and objects match deeply', () => {
    expect(permits('allowed_parameters = { n = [["a", "b"]] }', { n: ['a', 'b'] })).toBe(true)
    expect(permits('allowed_parameters = { n = [["a", "b"]] }', { n: ['a'] })).toBe(false)
    expect(permits('allowed_parameters = { n = [{ k = "v" }] }', { n: { k: 'v' } })).toBe(true)
    expect(permits('allowed_parameters = { n = [{ k = "v" }] }', { n: { k: 'v', l: 1 } })).toBe(
      false,
    )
    expect(permits('allowed_parameters = { n = ["a"] }', { n: null })).toBe(false)
  })

  test('named like parts of every object are parameters like any other', () => {
    const data = parseObject('{"__proto__": "x", "constructor": "y"}')
    expect(permits('allowed_parameters = { a = [] }', data)).toBe(false)
    expect(permits('required_parameters = ["tostring"]', {})).toBe(false)
    expect(permits('denied_parameters = { constructor = ["y"] }', data)).toBe(false)
  })

  test.each([
    ['super-admin'],
    ['Super-Admin'],
    ['dev, SUPER-ADMIN '],
    [['dev', 'super-admin']],
    [[' Super-Admin']],
  ])('that name a denied policy are denied in every form: %j (Vault 2.0.4)', (policies) => {
    for (const name of ['policies', 'Policies', 'token_policies']) {
      const rules =
        'denied_parameters = { policies = ["super-admin"] token_policies = ["Super-Admin"] }'
      expect(permits(rules, { [name]: policies })).toBe(false)
      expect(permits(rules, { [name]: 'dev' })).toBe(true)
    }
  })

  test.each<[JsonObject[string], boolean]>([
    ['team-a', true],
    ['TEAM-a', true],
    ['team-a,team-b', true],
    [['team-a', 'Team-B'], true],
    ['team-a,root', false],
    [['team-a', 'root'], false],
    [['team-a', 5], false],
    [[], false],
    ['', false],
    [null, false],
  ])('that name policies must all be allowed: %j: %s', (policies, allowed) => {
    expect(permits('allowed_parameters = { policies = ["team-*"] "*" = [] }', { policies })).toBe(
      allowed,
    )
  })
})

describe('a page limit', () => {
  const one = acl('path "a/" { capabilities = ["list", "read"] pagination_limit = 10 }')
  const strict = acl(
    'path "a/" { capabilities = ["list"] pagination_limit = 10 required_parameters = ["Limit"] }',
  )
  const limit = (of: Acl, data?: JsonObject) =>
    of.check({ operation: 'list', namespacePath: '', path: 'a/', data })

  test.each<[JsonObject | undefined, boolean, number | undefined]>([
    [undefined, true, 10],
    [{}, true, 10],
    [{ limit: '0' }, true, 10],
    [{ limit: 'max' }, true, 10],
    [{ limit: '10' }, true, undefined],
    [{ limit: 3 }, true, undefined],
    [{ limit: '11' }, false, undefined],
    [{ limit: '-1' }, false, undefined],
    [{ limit: 'x' }, false, undefined],
    [{ limit: '1.5' }, false, undefined],
    [{ limit: ['1'] }, false, undefined],
  ])('of 10, asked %j', (data, allowed, set) => {
    expect(limit(one, data)).toMatchObject({ allowed, limit: set })
  })

  test('that is required must be named', () => {
    expect(limit(strict).allowed).toBe(false)
    expect(limit(strict, { limit: 'max' }).allowed).toBe(true)
  })

  test('is of lists and scans only', () => {
    expect(one.check({ operation: 'read', namespacePath: '', path: 'a/' })).toMatchObject({
      allowed: true,
      limit: undefined,
    })
  })
})

test('a filter for listed keys comes with lists and scans', () => {
  const one = acl(
    'path "a/" { capabilities = ["list", "read"] list_scan_response_keys_filter_path = "{{ .path }}{{ .key }}" }',
  )
  expect(one.check({ operation: 'list', namespacePath: '', path: 'a/' }).listFilter?.text).toBe(
    '{{ .path }}{{ .key }}',
  )
  expect(one.check({ operation: 'read', namespacePath: '', path: 'a/' }).listFilter).toBeUndefined()
})

test('what needs approvals that cannot be given is refused', () => {
  const one = acl(`path "a" { capabilities = ["read", "update"]
    control_group = { factor "f" { controlled_capabilities = ["update"] identity { group_names = ["g"] approvals = 1 } } } }`)
  expect(allows(one, 'read', 'a')).toBe(true)
  expect(one.check({ operation: 'update', namespacePath: '', path: 'a' })).toMatchObject({
    allowed: false,
    controlGroup: { factors: [{ name: 'f' }] },
  })
})

test('a rule that has expired does not exist, and the ACL says when the next one will', () => {
  const text = `path "a" { capabilities = ["read"] expiration = "1970-01-01T00:00:10Z" }
                path "b" { capabilities = ["read"] expiration = "1970-01-01T00:00:20Z" }`
  const at = (nowMs: number) =>
    compileAcl([parsePolicy(text, { name: 'p', namespace: ROOT_NAMESPACE })], { nowMs })
  expect([at(9_999).capabilities('a'), at(9_999).expiresAtMs]).toEqual([['read'], 10_000])
  expect([at(10_000).capabilities('a'), at(10_000).expiresAtMs]).toEqual([['deny'], 20_000])
  expect([at(20_000).capabilities('b'), at(20_000).expiresAtMs]).toEqual([
    ['deny'],
    Number.POSITIVE_INFINITY,
  ])
})

describe('the policy root', () => {
  test('allows everything in its namespace and below, sudo too', () => {
    const one = compileAcl([rootPolicy(CHILD)], { nowMs: 0 })
    for (const namespacePath of ['ns1/', 'ns1/deep/']) {
      expect(
        one.check({ operation: 'header', namespacePath, path: 'x', needsSudo: true }),
      ).toMatchObject({
        allowed: true,
        root: true,
        sudo: true,
        grantingPolicies: [
          { name: 'root', namespace_id: 'nsnsns', namespace_path: 'ns1/', type: 'acl' },
        ],
      })
      expect(one.capabilities('x', namespacePath)).toEqual(['root'])
    }
    expect(allows(one, 'read', 'x')).toBe(false)
    expect(one.capabilities('x')).toEqual(['deny'])
    expect(allows(one, 'read', 'x', { namespacePath: 'ns10/' })).toBe(false)
  })

  test('has no namespace path in audit entries where it is of the root namespace', () => {
    const one = compileAcl([rootPolicy(ROOT_NAMESPACE)], { nowMs: 0 })
    expect(one.check({ operation: 'read', namespacePath: '', path: 'x' }).grantingPolicies).toEqual(
      [{ name: 'root', namespace_id: 'root', type: 'acl' }],
    )
  })

  test('beside another is a bug', () => {
    const other = parsePolicy('', { name: 'p', namespace: ROOT_NAMESPACE })
    expect(() => compileAcl([other, rootPolicy(ROOT_NAMESPACE)], { nowMs: 0 })).toThrow(
      'the policy root is alone',
    )
  })
})

describe('namespaces', () => {
  test('below its own are reached by what names them', () => {
    const one = grants('ns1/secret/*: read', 'ns1/deep/x: read')
    expect(allows(one, 'read', 'secret/a', { namespacePath: 'ns1/' })).toBe(true)
    expect(allows(one, 'read', 'x', { namespacePath: 'ns1/deep/' })).toBe(true)
    expect(allows(one, 'read', 'secret/a')).toBe(false)
  })

  test.each(['a/+/x', 'a/*', '+/+/x', '*', 'a/n*', '+/ns/x'])(
    'that were made later are not reached by the wildcards of %s (CVE-2020-10661)',
    (pattern) => {
      expect(allows(grants(`${pattern}: read`), 'read', 'a/ns/x')).toBe(true)
      expect(allows(grants(`${pattern}: read`), 'read', 'x', { namespacePath: 'a/ns/' })).toBe(
        false,
      )
    },
  )

  test('are not reached by a wildcard that looks like their name', () => {
    expect(allows(grants('+/x: read'), 'read', 'x', { namespacePath: '+/' })).toBe(false)
  })

  test('are not left upwards or sideways', () => {
    const one = compileAcl(
      [parsePolicy('path "x" { capabilities = ["read"] }', { name: 'p', namespace: CHILD })],
      { nowMs: 0 },
    )
    expect(allows(one, 'read', 'x', { namespacePath: 'ns1/' })).toBe(true)
    for (const namespacePath of ['', 'ns2/', 'ns1/deep/', 'ns10/']) {
      expect(allows(one, 'read', 'x', { namespacePath })).toBe(false)
    }
    expect(allows(one, 'read', 'ns1/x')).toBe(false)
  })
})

describe('what may be shown', () => {
  test.each([
    ['kv/data/*', 'kv/', true],
    ['kv/a', 'kv/', true],
    ['kv/*', 'kv/', true],
    ['k*', 'kv/', true],
    ['+/data/x', 'kv/', true],
    ['+/*', 'kv/', true],
    ['kv', 'kv/', true],
    ['other/*', 'kv/', false],
    ['+', 'kv/', true],
    ['kv2/x', 'kv/', false],
    ['+/x', 'kv/deep/', false],
    ['kv/+/x', 'kv/deep/', true],
  ])('%s lets see something below %s: %s', (pattern, prefix, shown) => {
    expect(grants(`${pattern}: read`).reachesBelow(prefix)).toBe(shown)
    expect(grants(`${pattern}: deny`).reachesBelow(prefix)).toBe(false)
  })

  test('is dumped by path, without templates and segments', () => {
    const one = acl(`
      path "a" { capabilities = ["update", "read"] min_wrapping_ttl = 60 required_parameters = ["r"] allowed_parameters = { K = ["v"] } }
      path "d" { capabilities = ["deny"] }
      path "nothing" {}
      path "g/*" { capabilities = ["sudo", "list"] denied_parameters = { "*" = [] } }
      path "+/x" { capabilities = ["read"] }
      path "t/{{identity.entity.id}}" { capabilities = ["read"] }`)
    expect(resultantAcl(one)).toEqual({
      root: false,
      exact_paths: {
        a: {
          capabilities: ['read', 'update'],
          min_wrapping_ttl: 60,
          required_parameters: ['r'],
          allowed_parameters: { k: ['v'] },
        },
        d: { capabilities: ['deny'] },
        nothing: { capabilities: ['deny'] },
      },
      glob_paths: { 'g/': { capabilities: ['list', 'sudo'], denied_parameters: { '*': [] } } },
    })
    expect(resultantAcl(compileAcl([rootPolicy(ROOT_NAMESPACE)], { nowMs: 0 }))).toEqual({
      root: true,
    })
  })
})

test('the same answer is the same object', () => {
  const one = grants('a/*: read')
  const ask = { operation: 'read', namespacePath: '', path: 'a/b' } as const
  expect(one.check(ask)).toBe(one.check({ ...ask, path: 'a/c' }))
})
