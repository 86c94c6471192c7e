import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BadRequest } from '../../core/errors.ts'
import { InvalidLdif, parseLdif } from './ldif.ts'

/** Values as texts, so that they can be compared. */
function parsed(text: string) {
  return JSON.parse(
    JSON.stringify(parseLdif(text), (_key, value: unknown) => {
      const isBytes = typeof value === 'object' && value !== null && 'type' in value
      return isBytes && 'data' in value && Array.isArray(value.data)
        ? `bytes:${Buffer.from(value.data).toString('latin1')}`
        : value
    }),
  )
}

describe('LDIF', () => {
  test('has entries and changes, comments, folded lines and values in base64', () => {
    const text = [
      'version: 1',
      '# a comment',
      'dn: cn=a,dc=b',
      'objectClass: top',
      'objectclass: person',
      'description: folded ',
      '  over two lines',
      'photo:: AP8=',
      '',
      '',
      'dn:: Y249w6k=',
      'changetype: modify',
      'replace: mail',
      'mail: a@b',
      'mail: c@d',
      '-',
      'delete: phone',
      '-',
      '',
      'dn: cn=gone',
      'changetype: delete',
      '',
    ].join('\r\n')
    expect(parsed(text)).toEqual([
      {
        dn: 'cn=a,dc=b',
        change: 'add',
        attributes: [
          { name: 'objectClass', values: ['top', 'person'] },
          { name: 'description', values: ['folded  over two lines'] },
          { name: 'photo', values: ['bytes:\u0000ÿ'] },
        ],
      },
      {
        dn: 'cn=é',
        change: 'modify',
        modifications: [
          { operation: 'replace', name: 'mail', values: ['a@b', 'c@d'] },
          { operation: 'delete', name: 'phone', values: [] },
        ],
      },
      { dn: 'cn=gone', change: 'delete' },
    ])
  })

  test.each([
    ['', 'there is no LDIF record'],
    ['# only a comment', 'there is no LDIF record'],
    ['cn: a', 'LDIF record 1: it begins with `dn: ` and a name'],
    ['dn: ', 'LDIF record 1: it begins with `dn: ` and a name'],
    ['dn: a=b', 'LDIF record 1: an entry has attributes'],
    ['dn: a=b\nno colon', 'LDIF record 1: a line is an attribute, a colon and a value'],
    ['dn: a=b\nx: y\n-', 'LDIF record 1: a `-` belongs to changetype modify'],
    ['dn: a=b\nx:: !', 'LDIF record 1: after `::` comes base64'],
    ['dn: a=b\nx:< file:///a', 'LDIF record 1: values are not read from elsewhere (`:<`)'],
    ['dn: a=b\ncontrol: 1.2 true\nx: y', 'LDIF record 1: controls are not sent'],
    ['dn: a=b\nchangetype: moddn', 'LDIF record 1: changetype is add, modify or delete'],
    [
      'dn: a=b\nchangetype: delete\nx: y',
      'LDIF record 1: nothing comes after `changetype: delete`',
    ],
    ['dn: a=b\nchangetype: modify', 'LDIF record 1: changetype modify has a modification'],
    [
      'dn: a=b\nchangetype: modify\nmail: x',
      'LDIF record 1: a modification begins with `add: `, `delete: ` or `replace: `',
    ],
    ['dn: a=b\nchangetype: modify\nadd: ?', 'LDIF record 1: after `add: ` comes an attribute'],
    [
      'dn: a=b\nx: y\n\ndn: a=b\nchangetype: modify\nadd: mail\nphone: 1',
      'LDIF record 2: a modification has values of the attribute that it names, and ends with `-`',
    ],
    ['dn: a\nx: y\n\n'.repeat(101), 'there are more than 100 LDIF records'],
  ])('is not %j', (text, why) => {
    expect(() => parseLdif(text)).toThrow(new InvalidLdif(why))
  })

  test('of any text is parsed, or refused with a reason', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom('dn: a=b', 'changetype: modify', 'add: x', '-', '', ' ', 'x: y', 'x:: YQ=='),
    )
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        try {
          expect(parseLdif(lines.join('\n')).length).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toBeInstanceOf(BadRequest)
        }
      }),
    )
  })
})
