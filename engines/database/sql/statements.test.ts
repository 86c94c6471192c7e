import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MYSQL, POSTGRESQL, scan } from './scan.ts'
import { fillStatement, splitStatements } from './statements.ts'

const textsOf = (elements: readonly string[], dialect = POSTGRESQL) =>
  splitStatements(elements, { dialect, purpose: 'creation', blocks: dialect === POSTGRESQL }).map(
    ({ text }) => text,
  )
const fill = (text: string, value: string, dialect = POSTGRESQL) =>
  fillStatement({ text, label: 'creation statement 1' }, { name: value }, dialect)

describe('the statements of a role', () => {
  test.each([
    [['A; B ;;'], ['A', 'B']],
    [
      ['A;B', 'C'],
      ['A', 'B', 'C'],
    ],
    [['A \';\' ; B ";"'], ["A ';'", 'B ";"']],
    [["A 'it''s; fine'; B"], ["A 'it''s; fine'", 'B']],
    [["A E'\\';' ; B"], ["A E'\\';'", 'B']],
    [['A -- x; y\n; B /* ; */'], ['A -- x; y', 'B /* ; */']],
    [['DO $$ a; b; $$; C'], ['DO $$ a; b; $$', 'C']],
    [['DO $x$ a; $$; $x$; C'], ['DO $x$ a; $$; $x$', 'C']],
    [['BEGIN; x; END;'], ['BEGIN; x; END;']],
    [["A 'END'; B"], ["A 'END'", 'B']],
    [['["A;B", "C"]'], ['A', 'B', 'C']],
    [[Buffer.from('SELECT 1; SELECT 2').toString('base64')], ['SELECT 1', 'SELECT 2']],
    [['NONSENSE'], ['NONSENSE']],
    [['[not json'], ['[not json']],
    [['', ' '], []],
  ])('%j are %j', (elements, texts) => {
    expect(textsOf(elements)).toEqual(texts)
  })

  test('are told apart by number and verb, and nothing of what they say', () => {
    const statements = splitStatements(["GRANT secret; 'x' y"], {
      dialect: POSTGRESQL,
      purpose: 'renewal',
    })
    expect(statements.map(({ label }) => label)).toEqual([
      'renewal statement 1 (GRANT)',
      'renewal statement 2',
    ])
  })
})

describe('a value', () => {
  test.each([
    [`"{{name}}"`, 'a"b', `"a""b"`],
    [`'{{name}}'`, "a'b\\", `'a''b\\'`],
    [`E'{{name}}'`, "a'b\\", `E'a''b\\\\'`],
    ['{{name}} {{other}}', 'v-a.b@c', 'v-a.b@c {{other}}'],
    [`-- {{name}}\n'{{name}}'`, 'x', `-- {{name}}\n'x'`],
    [`DO $$ EXECUTE 'CREATE "{{name}}"' $$`, `a'b`, `DO $$ EXECUTE 'CREATE "a''b"' $$`],
    [`'{{name}}'`, '$&$1', `'$&$1'`],
  ])('stands in %s as the quotes there demand', (text, value, filled) => {
    expect(fill(text, value)).toBe(filled)
  })

  test('is escaped with backslashes where the database reads them', () => {
    expect(fill(`'{{name}}'@'%' \`{{name}}\``, "a'\\b`", MYSQL)).toBe("'a''\\\\b`'@'%' `a'\\b```")
  })

  test.each([
    ['{{name}}', 'a b', 'put {{name}} in quotes'],
    ['{{name}}', 'a--b', 'put {{name}} in quotes'],
    ['{{name}}', '', 'put {{name}} in quotes'],
    [`'{{name}}'`, 'a\0b', 'NUL'],
    [`DO $$ '{{name}}' $$`, '$$', 'would end the block'],
  ])('is refused in %s: %j', (text, value, why) => {
    expect(() => fill(text, value)).toThrow(why)
  })

  test.each([POSTGRESQL, MYSQL])('never ends its quotes, whatever it is', (dialect) => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.constantFrom("'", '"', '`'),
        (value, quote) => {
          fc.pre(!value.includes('\0'))
          const pieces = scan(fill(`A ${quote}{{name}}${quote} B`, value, dialect), dialect)
          expect(pieces.map(({ kind }) => kind === 'code')).toEqual([true, false, true])
          expect(pieces[2]?.text).toBe(' B')
        },
      ),
      { numRuns: 2000 },
    )
  })
})
