import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CAPABILITY_BIT, capabilityNames } from './capability.ts'
import { DEFAULT_POLICY_TEXT, RESPONSE_WRAPPING_POLICY_TEXT } from './defaults.ts'
import { InvalidPolicy } from './errors.ts'
import { parsePolicy } from './parse.ts'
import { ROOT_NAMESPACE, type PathRule, type Policy } from './policy.ts'
import { z } from 'zod'

function parse(text: string): Policy {
  return parsePolicy(text, { name: 'p', namespace: ROOT_NAMESPACE })
}

function onlyRule(text: string): PathRule {
  const [rule] = parse(text).rules
  if (rule === undefined) throw new Error('no rule')
  return rule
}

function refusal(text: string): string {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof InvalidPolicy) return error.message
    throw error
  }
  throw new Error('it was accepted')
}

describe('a policy is read', () => {
  test('with every key of a path', () => {
    const rule = onlyRule(`
      name = "ignored"
      path "/secret/+/x*" {
        comment = "ignored"
        capabilities = ["read", "list"]
        policy = "write"
        allowed_parameters = { "Key" = ["a", 1, true] "*" = [] }
        denied_parameters { other = [] }
        required_parameters = ["key"]
        min_wrapping_ttl = 60
        max_wrapping_ttl = "1h"
        mfa_methods = ["m"]
        pagination_limit = 10
        expiration = "2030-01-31T00:00:00+01:00"
        list_scan_response_keys_filter_path = "secret/data/{{ .key }}"
        control_group = {
          ttl = "4h"
          factor "boss" {
            controlled_capabilities = ["read"]
            identity { group_names = ["bosses"] approvals = 2 }
          }
        }
      }`)
    expect(capabilityNames(rule.capabilities)).toEqual([
      'create',
      'delete',
      'list',
      'read',
      'update',
    ])
    expect(rule).toMatchObject({
      path: 'secret/+/x*',
      line: 3,
      allowedParameters: new Map([
        ['key', ['a', 1, true]],
        ['*', []],
      ]),
      deniedParameters: new Map([['other', []]]),
      requiredParameters: ['key'],
      minWrappingTtlSeconds: 60,
      maxWrappingTtlSeconds: 3600,
      mfaMethods: ['m'],
      paginationLimit: 10,
      expiresAtMs: Date.parse('2030-01-30T23:00:00Z'),
      controlGroup: {
        ttlSeconds: 14_400,
        selfAuthAllowed: false,
        factors: [
          {
            name: 'boss',
            controlledCapabilities: ['read'],
            groupNames: ['bosses'],
            groupIds: [],
            approvals: 2,
          },
        ],
      },
    })
  })

  test.each([
    ['deny', ['deny']],
    ['read', ['list', 'read']],
    ['write', ['create', 'delete', 'list', 'read', 'update']],
    ['sudo', ['create', 'delete', 'list', 'read', 'sudo', 'update']],
  ])('with the older key policy = "%s"', (policy, names) => {
    expect(capabilityNames(onlyRule(`path "x" { policy = "${policy}" }`).capabilities)).toEqual(
      names,
    )
  })

  test('in JSON', () => {
    expect(onlyRule('{"path":{"j/*":{"capabilities":["read"]}}}')).toMatchObject({
      path: 'j/*',
      capabilities: CAPABILITY_BIT.read,
    })
  })

  test('and deny leaves nothing beside it', () => {
    const rule = onlyRule(
      'path "x" { capabilities = ["deny", "read"] allowed_parameters = { "a" = [] } }',
    )
    expect(rule.capabilities).toBe(CAPABILITY_BIT.deny)
    expect(rule.allowedParameters.size).toBe(0)
  })

  test('with the line of each rule', () => {
    expect(
      parse('path "a" {}\n\n# b\npath "b" {}\npath "a" {}').rules.map(({ path, line }) => [
        path,
        line,
      ]),
    ).toEqual([
      ['a', 1],
      ['b', 4],
      ['a', 5],
    ])
  })

  test('without rules, and with rules that grant nothing', () => {
    expect(parse('').rules).toEqual([])
    expect(onlyRule('path "q" {}').capabilities).toBe(0)
  })
})

describe('the policies that the server brings', () => {
  test('are readable, and grant what clients count on', () => {
    expect(parse(DEFAULT_POLICY_TEXT).templated).toBe(true)
    expect(
      parse(DEFAULT_POLICY_TEXT).rules.map(
        ({ path, capabilities }) => `${path}: ${capabilityNames(capabilities).join(' ')}`,
      ),
    ).toEqual([
      'auth/token/lookup-self: read',
      'auth/token/renew-self: update',
      'auth/token/revoke-self: update',
      'sys/capabilities-self: update',
      'sys/internal/ui/resultant-acl: read',
      'identity/entity/id/{{identity.entity.id}}: read',
      'identity/entity/name/{{identity.entity.name}}: read',
      'sys/leases/lookup: update',
      'sys/leases/renew: update',
      'cubbyhole/*: create delete list read update',
      'sys/wrapping/wrap: update',
      'sys/wrapping/lookup: update',
      'sys/wrapping/unwrap: update',
      'sys/tools/hash: update',
      'sys/tools/hash/*: update',
      'identity/oidc/provider/+/authorize: read update',
    ])
    expect(parse(RESPONSE_WRAPPING_POLICY_TEXT).rules).toHaveLength(2)
  })
})

describe('a policy is refused with the text that clients know', () => {
  test.each([
    ['7', 'At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: NUMBER'],
    ['path "x" {', 'At 1:12: object expected closing RBRACE got: EOF'],
    ['\u009E\u008Aw', 'At 1:1: illegal char'],
    ['path "x" { capabilities = ["fly"] }', 'path "x": invalid capability "fly"'],
    ['path "x" { policy = "fly" }', 'path "x": invalid policy "fly"'],
    [
      'path "x" { capability = ["read"] }',
      '1 error occurred:\n\t* path "x": invalid key "capability" on line 1\n\n',
    ],
    ['paths "x" {}', '1 error occurred:\n\t* invalid key "paths" on line 0\n\n'],
    [
      'path "x" {\n a = 1\n b = 2 }',
      '2 errors occurred:\n\t* path "x": invalid key "a" on line 2\n\t* path "x": invalid key "b" on line 3\n\n',
    ],
    [
      'path "x+*" { capabilities = ["read"] }',
      `path "x+*": invalid use of wildcards ('+*' is forbidden)`,
    ],
    [
      'path "a/+*" { capabilities = ["read"] }',
      `path "a/+*": invalid use of wildcards ('+*' is forbidden)`,
    ],
    [
      'path "x" { capabilities = ["read"] min_wrapping_ttl = "2h" max_wrapping_ttl = "1h" }',
      'max_wrapping_ttl cannot be less than min_wrapping_ttl',
    ],
    [
      'path "x" { min_wrapping_ttl = "abc" }',
      'error parsing min_wrapping_ttl: time: invalid duration "abc"',
    ],
    [
      'path "x" { max_wrapping_ttl = -1 }',
      'error parsing max_wrapping_ttl: time: invalid duration "-1"',
    ],
    ['path "x" { capabilities = "read" }', 'path "x": capabilities must be a list of strings'],
    ['path "x" { capabilities = [1] }', 'path "x": capabilities must be a list of strings'],
    [
      'path "x" { capabilities = ["read"] capabilities = ["deny"] }',
      'path "x": capabilities is set twice',
    ],
    [
      'path "x" { allowed_parameters = ["a"] }',
      'path "x": allowed_parameters must map names to lists of values',
    ],
    [
      'path "x" { denied_parameters = { a = "b" } }',
      'path "x": denied_parameters must map names to lists of values',
    ],
    [
      'path "x" { denied_parameters = { a = [] A = ["b"] } }',
      'path "x": denied_parameters names one parameter twice',
    ],
    ['path "x" { pagination_limit = -1 }', 'path "x": pagination_limit must be a whole number'],
    [
      'path "x" { expiration = "tomorrow" }',
      'path "x": expiration must be a time such as 2030-01-31T00:00:00Z',
    ],
    [
      'path "x" { expiration = "2030-13-01T00:00:00Z" }',
      'path "x": expiration must be a time such as 2030-01-31T00:00:00Z',
    ],
    ['path "a/{{x" {}', 'failed to validate policy templating: unbalanced templating characters'],
    ['path "a/x}}" {}', 'failed to validate policy templating: unbalanced templating characters'],
    ['path = "x"', 'At 1:8: expected a block { ... }'],
    ['path { capabilities = ["read"] }', 'At 1:24: expected a block { ... }'],
    [
      'path "x" { capabilities = ["read"] list_scan_response_keys_filter_path = "a/{{ .key }}" }',
      'list_scan_response_keys_filter_path needs to be used on a path with the list capability',
    ],
    [
      'path "x" { capabilities = ["list"] list_scan_response_keys_filter_path = "a/{{ .path }}" }',
      'path "x": list_scan_response_keys_filter_path must be text with {{ .key }} and, if one likes, {{ .path }} in it',
    ],
    [
      'path "x" { control_group = { factor "f" { controlled_capabilities = ["fly"] } } }',
      'path "x": control_group factor "f": invalid capability "fly"',
    ],
  ])('%j', (text, what) => {
    expect(refusal(text)).toBe(`failed to parse policy: ${what}`)
  })

  test('whatever is written', () => {
    const piece = fc.constantFrom(
      'path',
      '"x"',
      '"a/+/*"',
      '{',
      '}',
      '=',
      '[',
      ']',
      ',',
      'capabilities',
      '"read"',
      '"deny"',
      'policy',
      '\n',
      '1',
      'true',
      'allowed_parameters',
      'min_wrapping_ttl',
      '"1h"',
      'expiration',
      'control_group',
      'factor',
      'comment',
      '"{{a}}"',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          parse(pieces.join(' '))
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidPolicy)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

test('the recorded answers of the reference server are kept', () => {
  const file = new URL('../../test/conformance/golden/sys-policies.json', import.meta.url)
  const { scenarios } = recording.parse(JSON.parse(readFileSync(file, 'utf8')))
  const written = scenarios
    .flatMap(({ steps }) => steps)
    .filter(
      ({ method, path, body }) =>
        method === 'POST' && path.includes('/policies/acl/') && typeof body?.policy === 'string',
    )
  expect(written.length).toBeGreaterThan(10)
  for (const { body, response } of written) {
    const [error] = response?.errors ?? []
    const policy = String(body?.policy)
    if (error?.startsWith('failed to parse policy: ') === true && policy !== 'nonsense') {
      expect(refusal(policy)).toBe(error)
    } else if (error === undefined && !/^[A-Za-z0-9+/=]+$/.test(policy)) {
      parse(policy)
    }
  }
})

const step = z.object({
  method: z.string(),
  path: z.string(),
  body: z.object({ policy: z.unknown().optional() }).optional(),
  response: z
    .object({ errors: z.array(z.string()) })
    .partial()
    .optional(),
})
const recording = z.object({ scenarios: z.array(z.object({ steps: z.array(step) })) })
