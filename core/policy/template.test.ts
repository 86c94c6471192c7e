import { describe, expect, test } from 'vitest'
import { compileAcl } from './compile.ts'
import { parsePolicy } from './parse.ts'
import type { PolicyNamespace } from './policy.ts'
import { renderTemplates, type IdentityFacts, type TemplateOptions } from './template.ts'

const alias = {
  id: 'alias-1',
  name: 'bob@x',
  mountAccessor: 'auth_1',
  metadata: { k: 'am' },
  customMetadata: { k: 'ac' },
}
const bob: IdentityFacts = {
  entity: {
    id: 'e-1',
    name: 'bob',
    metadata: { team: 'blue', 'a.b': 'dotted', empty: '' },
    aliases: [alias],
  },
  groups: [
    { id: 'g-1', name: 'admins', namespaceId: 'root', metadata: { floor: '3' } },
    { id: 'g-2', name: 'admins', namespaceId: 'nsnsns', metadata: { floor: '9' } },
  ],
}

function withTeam(team: string): IdentityFacts {
  return { ...bob, entity: { ...bob.entity, metadata: { team } } }
}

function rendered(
  path: string,
  identity: IdentityFacts | undefined = bob,
  more: { namespace?: PolicyNamespace; options?: TemplateOptions } = {},
): string[] {
  const namespace = more.namespace ?? { id: 'root', path: '' }
  const policy = parsePolicy(JSON.stringify({ path: { [path]: {} } }), { name: 'p', namespace })
  return renderTemplates(policy, identity, more.options).rules.map((rule) => rule.path)
}

describe('a path is filled in', () => {
  test.each([
    ['a/{{identity.entity.id}}/*', 'a/e-1/*'],
    ['a/{{ identity.entity.name }}', 'a/bob'],
    ['{{identity.entity.name}}-{{identity.entity.id}}', 'bob-e-1'],
    ['a/{{identity.entity.metadata.team}}', 'a/blue'],
    ['a/{{identity.entity.metadata.a.b}}', 'a/dotted'],
    ['a/{{identity.entity.aliases.auth_1.id}}', 'a/alias-1'],
    ['a/{{identity.entity.aliases.auth_1.name}}', 'a/bob@x'],
    ['a/{{identity.entity.aliases.auth_1.metadata.k}}', 'a/am'],
    ['a/{{identity.entity.aliases.auth_1.custom_metadata.k}}', 'a/ac'],
    ['a/{{identity.groups.ids.g-1.name}}', 'a/admins'],
    ['a/{{identity.groups.ids.g-2.metadata.floor}}', 'a/9'],
    ['a/{{identity.groups.names.admins.id}}', 'a/g-1'],
    ['a/{{identity.groups.names.admins.metadata.floor}}', 'a/3'],
    ['plain/*', 'plain/*'],
  ])('%s', (path, result) => {
    expect(rendered(path)).toEqual([result])
  })

  test('by name only with a group of the policy’s own namespace', () => {
    const namespace = { id: 'nsnsns', path: 'ns/' }
    expect(rendered('{{identity.groups.names.admins.id}}', bob, { namespace })).toEqual(['g-2'])
  })
})

describe('a rule is dropped', () => {
  test.each([
    'a/{{identity.entity.metadata.none}}',
    'a/{{identity.entity.metadata.empty}}',
    'a/{{identity.entity.metadata.toString}}',
    'a/{{identity.entity.metadata.__proto__}}',
    'a/{{identity.entity.metadata}}',
    'a/{{identity.entity.aliases.auth_2.name}}',
    'a/{{identity.entity.aliases.auth_1}}',
    'a/{{identity.entity.none}}',
    'a/{{identity.groups.names.none.id}}',
    'a/{{identity.groups.ids.none.name}}',
    'a/{{identity.groups.names}}',
    'a/{{time.now}}',
    'a/{{}}',
  ])('when nothing is known for %s', (path) => {
    expect(rendered(path)).toEqual([])
  })

  test('when the token has no entity', () => {
    expect(
      renderTemplates(
        parsePolicy('path "a/{{identity.entity.id}}" {} path "b" {}', {
          name: 'p',
          namespace: { id: 'root', path: '' },
        }),
        undefined,
      ).rules.map(({ path }) => path),
    ).toEqual(['b'])
  })

  test('row 13 (CVE-2021-43998): when two aliases lie on the mount', () => {
    const two = { ...bob, entity: { ...bob.entity, aliases: [alias, { ...alias, id: 'alias-2' }] } }
    expect(rendered('a/{{identity.entity.aliases.auth_1.id}}', two)).toEqual([])
  })

  test.each(['*', '+', 'x*', '+/x', 'x/y', '/', '../x', '{{identity.entity.id}}', ''])(
    'row 3 (CVE-2026-71543): when the value %j would widen it',
    (team) => {
      expect(rendered('a/{{identity.entity.metadata.team}}', withTeam(team))).toEqual([])
      expect(rendered('a/{{identity.entity.metadata.team}}/*', withTeam(team))).toEqual([])
    },
  )

  test('unless its policy allows such values', () => {
    const path = 'a/{{identity.entity.metadata.team}}'
    const wild = { options: { allowWildcards: true, allowSlashes: false } }
    const deep = { options: { allowWildcards: false, allowSlashes: true } }
    expect(rendered(path, withTeam('x*'), wild)).toEqual(['a/x*'])
    expect(rendered(path, withTeam('x/y'), wild)).toEqual([])
    expect(rendered(path, withTeam('x/y'), deep)).toEqual(['a/x/y'])
    expect(rendered(path, withTeam('x/*'), deep)).toEqual([])
    expect(rendered(`${path}*`, withTeam('+'), wild)).toEqual([])
  })
})

test('a template that nobody filled in grants nothing', () => {
  const policy = parsePolicy('path "a/{{identity.entity.id}}" { capabilities = ["read"] }', {
    name: 'p',
    namespace: { id: 'root', path: '' },
  })
  const acl = compileAcl([policy], { nowMs: 0 })
  expect(acl.capabilities('a/{{identity.entity.id}}')).toEqual(['deny'])
})
