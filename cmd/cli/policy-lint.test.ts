import { describe, expect, test } from 'vitest'
import { DEFAULT_POLICY_TEXT } from '../../core/policy/defaults.ts'
import { serveCluster } from './on-server.fixture.ts'
import { programNamed } from './program.ts'
import { lintText } from './policy-lint-text.ts'
import { runCommandLine } from './run.ts'
import { fakeTerminal } from './terminal.fixture.ts'

const NOW_MS = Date.parse('2026-01-01T00:00:00Z')
const found = (text: string) =>
  lintText(text, NOW_MS).findings.map(({ line, severity, text: what }) => [
    `${line} ${severity}`,
    what,
  ])

/** A policy of one rule a line: `path: capability...`. */
const rules = (...lines: readonly string[]) =>
  lines
    .map((line) => line.split(': '))
    .map(([path, names = '']) => {
      const list = names === '' ? [] : names.split(' ')
      return `path "${path}" { capabilities = ${JSON.stringify(list)} }`
    })
    .join('\n')

describe('the text alone', () => {
  test('names every unknown key and capability, with the nearest known', () => {
    const text = `path "a" {
  capabilites = ["read"]
}
path "b" {
  capabilities = ["write", "raed", "list"]
  min_wraping_ttl = "1m"
}
paht "c" {}`
    expect(found(text)).toEqual([
      ['8 error', 'there is no key "paht"; did you mean "path"?'],
      ['2 error', 'there is no key "capabilites"; did you mean "capabilities"?'],
      ['6 error', 'there is no key "min_wraping_ttl"; did you mean "min_wrapping_ttl"?'],
      ['5 error', 'there is no capability "write"; did you mean "update"?'],
      ['5 error', 'there is no capability "raed"; did you mean "read"?'],
    ])
  })

  test('that does not parse says where', () => {
    expect(found('path "a" {\n  capabilities = [\n')).toMatchObject([
      [expect.stringMatching(/^\d error$/), expect.stringMatching(/^failed to parse policy/)],
    ])
  })

  test.each<[string, string, string[][]]>([
    [
      'a rule that a broader one takes everything from',
      rules('secret/+/app/*: deny', 'secret/*: read'),
      [
        [
          '1 error',
          'path "secret/+/app/*": it never applies: path "secret/*" on line 2 fits the same paths, and of two that end in "*" the one with fewer "+" goes first',
        ],
      ],
    ],
    [
      'a grant where the same path is denied',
      rules('a: read', 'a: deny'),
      [['1 error', 'path "a": it never applies: line 2 denies this very path']],
    ],
    [
      'two rules that are one',
      rules('a: read', 'a: list'),
      [['2 warning', 'path "a": it counts as one rule with that on line 1']],
    ],
    [
      'a listing that another rule gets',
      rules('secret/+/app: list', 'secret/*: read'),
      [
        [
          '1 error',
          'path "secret/+/app": "list" has no effect: the path of a listing ends in "/", and there path "secret/*" on line 2 applies; say it there, or write path "secret/+/app/"',
        ],
      ],
    ],
    [
      'a listing that is of the folder alone',
      rules('secret/metadata/+: list', 'secret/*: read'),
      [
        [
          '1 warning',
          'path "secret/metadata/+": "list" is of "secret/metadata/" alone: the path of a listing ends in "/", and there path "secret/*" on line 2 applies; say it there, or write path "secret/metadata/+/"',
        ],
      ],
    ],
    [
      'a write to a folder',
      rules('a/b/: create read list'),
      [
        [
          '1 error',
          'path "a/b/": "create" has no effect: nothing can be written to a path that ends in "/"',
        ],
      ],
    ],
    [
      'a root-protected path without sudo',
      rules('sys/seal: update'),
      [
        [
          '1 error',
          'path "sys/seal": "update" has no effect: it needs "sudo" as well on this path',
        ],
      ],
    ],
    [
      'sudo missing for a change, where anybody may look',
      rules('sys/rekey/init: read update'),
      [
        [
          '1 error',
          'path "sys/rekey/init": "update" has no effect: it needs "sudo" as well on this path',
        ],
      ],
    ],
    [
      'sudo alone',
      rules('sys/seal: sudo'),
      [
        [
          '1 error',
          'path "sys/seal": "sudo" alone allows nothing; add the capability of the operation',
        ],
      ],
    ],
    [
      'nothing granted',
      rules('a: '),
      [['1 warning', 'path "a": it grants nothing, as if it said "deny"']],
    ],
    [
      'deny beside others',
      rules('a: read deny'),
      [
        [
          '1 warning',
          '"deny" denies everything: the other capabilities of this rule have no effect',
        ],
      ],
    ],
    [
      'half of a write, and a listing, of kv values',
      rules('secret/data/a: create list'),
      [
        [
          '1 warning',
          'path "secret/data/a": of a kv value, "create" without "update" allows the first version only',
        ],
        [
          '1 warning',
          'path "secret/data/a": names of kv values are listed below metadata/: "list" belongs to path "secret/metadata/a"',
        ],
      ],
    ],
    [
      'a parameter that is demanded and forbidden',
      'path "a" {\n capabilities = ["update"]\n required_parameters = ["B"]\n allowed_parameters = { c = [] }\n}',
      [
        [
          '1 error',
          'path "a": it allows no write and no read: the parameter "b" is required, and allowed_parameters forbids it',
        ],
      ],
    ],
    [
      'conditions without effect',
      'path "a" {\n capabilities = ["delete"]\n denied_parameters = { c = [] }\n pagination_limit = 5\n expiration = "2020-01-01T00:00:00Z"\n}',
      [
        [
          '1 warning',
          'path "a": rules on parameters have an effect on read, create, update and patch only',
        ],
        ['1 warning', 'path "a": pagination_limit has an effect on list and scan only'],
        ['1 warning', 'path "a": its expiration is over: it has no effect any more'],
      ],
    ],
  ])('tells of %s', (_what, text, findings) => {
    expect(found(text)).toEqual(findings)
  })

  test.each([
    ['the default policy', DEFAULT_POLICY_TEXT],
    [
      'a closer rule beside a broad one',
      rules('secret/*: read', 'secret/+: update', 'secret/a/*: deny'),
    ],
    ['a listing of an exact path', rules('secret/metadata/app: list', 'secret/*: read')],
    ['templates', rules('secret/{{identity.entity.id}}/*: read', 'secret/*: read')],
  ])('has nothing to say of %s', (_what, text) => {
    expect(found(text)).toEqual([])
  })
})

describe('with a server', () => {
  test('paths that are mistyped are found, and the default policy is without errors', async () => {
    const { cluster, run } = await serveCluster({ nodes: 1 })
    await cluster.write('sys/mounts/secret', { type: 'kv', options: { version: '2' } })
    const text = rules(
      'secret/app: read',
      'secret/dat/app: read',
      'secert/data/*: read',
      'secret/metadata/app: patch list scan',
      'secret/data/app: read list',
      'sys/policy/*: read',
      'sys/health: read',
      'auth/tokn/create: update',
      '+/data/x: read',
    )
    const { exitCode, out, err } = await run('policy lint -', { input: text })
    expect([exitCode, err]).toEqual([1, ''])
    expect(out.trimEnd().split('\n')).toEqual([
      '-:1: error: path "secret/app": the engine at secret/ has no such path; did you mean "secret/data/app"?',
      '-:2: error: path "secret/dat/app": the engine at secret/ has no such path; did you mean "secret/data/app"?',
      '-:3: warning: path "secert/data/*": nothing is mounted there; did you mean "secret/"?',
      '-:5: warning: path "secret/data/app": names of kv values are listed below metadata/: "list" belongs to path "secret/metadata/app"',
      '-:5: warning: path "secret/data/app": no path of the server that it fits has an operation for "list"',
      '-:8: warning: path "auth/tokn/create": nothing is mounted there; did you mean "auth/token/"?',
    ])
    expect((await run('policy lint -name=default')).exitCode).toBe(0)
  })

  test('the policy of a name is read from it; what is not there ends with 2', async () => {
    const { cluster, run } = await serveCluster({ nodes: 1 })
    await cluster.write('sys/policies/acl/app', { policy: rules('sys/seal: update') })
    const { exitCode, out } = await run('policy lint -name=app -format=json')
    expect(exitCode).toBe(1)
    expect(JSON.parse(out)).toMatchObject([{ line: 1, severity: 'error' }])
    expect(await run('policy lint -name=none')).toMatchObject({ exitCode: 2 })
    expect(await run('policy lint -name=app x.hcl')).toMatchObject({ exitCode: 1, out: '' })
  })
})

describe('without a server', () => {
  async function lint(words: string, input: string) {
    const terminal = fakeTerminal({ env: { VAULT_ADDR: 'http://127.0.0.1:1' }, input })
    const exitCode = await runCommandLine(words.split(' '), terminal, programNamed('keyhold'))
    return { exitCode, ...terminal.written }
  }

  test('the text is looked at, and that none was asked is said', async () => {
    expect(await lint('policy lint -', rules('a: read'))).toEqual({
      exitCode: 0,
      out: '-: nothing found\n',
      err: 'No server was asked what is mounted: none answered, or it refused.\n',
    })
    expect((await lint('policy lint -offline -', rules('a: read'))).err).toBe('')
  })
})
