/** Policies and requests at random, for tests of what decides. */
import fc from 'fast-check'
import { parseObject } from '../../test/support/json.ts'
import type { AclRequest } from './acl.ts'
import { CAPABILITIES } from './capability.ts'
import { InvalidPolicy } from './errors.ts'
import { parsePolicy } from './parse.ts'
import type { Policy } from './policy.ts'

/** Small alphabets, so that patterns, paths and values meet. */
const NAMESPACES = [
  { id: 'root', path: '' },
  { id: 'aaaaaa', path: 'a/' },
  { id: 'bbbbbb', path: 'a/b/' },
]
const segment = fc.constantFrom('a', 'b', 'ab', '+', '+', 'a*', '+b', 'a+')
const ending = fc.constantFrom('', '', '*', '*', '/', '/*', '/+', 'a*')
export const rulePath = fc
  .tuple(fc.array(segment, { maxLength: 3 }), ending)
  .map(([segments, end]) => segments.join('/') + end)
  .filter((path) => !path.includes('+*'))
/** Where rules are to meet on one path. */
export const fewPaths = fc.constantFrom('a', 'a', 'a', 'a/*', '*')
const requestPath = fc
  .tuple(
    fc.array(fc.constantFrom('a', 'b', 'ab', 'aba', 'a*', '+b', '+'), {
      minLength: 1,
      maxLength: 4,
    }),
    fc.constantFrom('', '', '/'),
  )
  .map(([segments, end]) => segments.join('/') + end)

const value = fc.constantFrom<unknown>(
  'x',
  'y',
  'xy',
  'yx',
  'x,y',
  'yxy',
  '*',
  '',
  true,
  false,
  null,
  ['x'],
  ['y', 'x'],
)
const wanted = fc.constantFrom<unknown>('x', 'x*', '*x', '*x*', '*', 'y', true, ['x'])
const lists = fc.dictionary(
  fc.constantFrom('a', 'B', 'c', '*'),
  fc.array(wanted, { maxLength: 2 }),
  { maxKeys: 3 },
)
const capabilities = fc.uniqueArray(fc.constantFrom(...CAPABILITIES), { maxLength: 5 })
const bound = fc.constantFrom(0, 0, 1, 5)

export const plainRule = fc.record({ capabilities })
export const richRule = fc.record(
  {
    capabilities: fc.constantFrom(
      ['read', 'update', 'create', 'list'],
      ['list', 'scan', 'patch', 'update'],
      ['deny'],
    ),
    allowed_parameters: lists,
    denied_parameters: lists,
    required_parameters: fc.uniqueArray(fc.constantFrom('a', 'B', 'limit'), { maxLength: 2 }),
    min_wrapping_ttl: bound,
    max_wrapping_ttl: bound,
    pagination_limit: fc.constantFrom(0, 1, 2),
  },
  { requiredKeys: ['capabilities'] },
)

function requests(
  namespacePath: fc.Arbitrary<string>,
  path: fc.Arbitrary<string>,
): fc.Arbitrary<readonly AclRequest[]> {
  const one: fc.Arbitrary<AclRequest> = fc.record({
    operation: fc.constantFrom(
      ...([
        'create',
        'read',
        'update',
        'patch',
        'delete',
        'list',
        'list',
        'scan',
        'renew',
        'revoke',
        'header',
        'help',
      ] as const),
    ),
    namespacePath,
    path,
    needsSudo: fc.constantFrom(false, false, true),
    wrapTtlSeconds: fc.constantFrom(undefined, 0, 1, 3, 5, 9),
    data: fc.option(
      fc
        .tuple(
          fc.dictionary(fc.constantFrom('a', 'A', 'b', 'c', 'd'), value, { maxKeys: 3 }),
          fc.constantFrom(
            {},
            {},
            { limit: 'max' },
            { limit: '0' },
            { limit: 2 },
            { limit: '1' },
            { limit: '-1' },
            { limit: 'x' },
          ),
        )
        .map(([data, limit]) => parseObject(JSON.stringify({ ...data, ...limit }))),
      { nil: undefined },
    ),
  })
  return fc.array(one, { minLength: 1, maxLength: 8 })
}

export const widely = requests(fc.constantFrom('', '', 'a/', 'a/b/'), requestPath)
export const narrowly = requests(
  fc.constantFrom('', '', '', 'a/'),
  fc.constantFrom('a', 'a', 'a/', 'a/b'),
)

export function policies(
  path: fc.Arbitrary<string>,
  rule: fc.Arbitrary<object>,
  count: number,
): fc.Arbitrary<readonly Policy[]> {
  const block = fc.tuple(path, rule).map(([label, body]) => ({ [label]: body }))
  const one = fc.tuple(
    fc.constantFrom('p', 'q', 'r'),
    fc.constantFrom(...NAMESPACES),
    fc.array(block, { maxLength: count }),
  )
  return fc.array(
    one.map(([name, namespace, blocks]) =>
      parseKnown(JSON.stringify({ path: blocks }), { name, namespace }),
    ),
    { maxLength: 3 },
  )
}

/** The generators also make what the parser refuses; such a policy grants nothing. */
function parseKnown(text: string, owner: { name: string; namespace: Policy['namespace'] }): Policy {
  try {
    return parsePolicy(text, owner)
  } catch (error) {
    if (!(error instanceof InvalidPolicy)) throw error
    return { ...owner, rules: [], templated: false }
  }
}
