import { describe, expect, test } from 'vitest'
import { parseExclusion } from './exclusion.ts'

const LINE =
  '{"time":"t","type":"response","auth":{"policies":["root"]},"request":{"id":"i","mount_type":"kv","data":{"a/b":"h","n":1.0},"path":"a\\u003cb"},"response":{"data":{"x":"h"}}}'

const exclude = (...rules: object[]) => parseExclusion(JSON.stringify(rules))(LINE)

test('fields go where the condition holds, and the others stay in their order, letter for letter', () => {
  const rule = {
    condition: '"/request/mount_type" == kv and "/auth/policies" contains root',
    fields: ['/request/data', '/response/data'],
  }
  expect(exclude(rule)).toBe(
    '{"time":"t","type":"response","auth":{"policies":["root"]},"request":{"id":"i","mount_type":"kv","path":"a\\u003cb"},"response":{}}',
  )
})

test('a rule without a condition always holds', () => {
  expect(exclude({ fields: ['/auth'] })).not.toContain('policies')
  expect(exclude({ condition: '', fields: ['/auth'] })).not.toContain('policies')
})

test('where no condition holds the line is as it was', () => {
  expect(exclude({ condition: '"/request/mount_type" == pki', fields: ['/auth'] })).toBe(LINE)
  expect(exclude({ condition: '"/request/none/below" is not empty', fields: ['/auth'] })).toBe(LINE)
})

test('a name with a slash is written with ~1, numbers keep their text, and what is absent is no mistake', () => {
  const left = exclude({ fields: ['/request/data/a~1b', '/none', '/request/id/below'] })
  expect(left).toContain('"data":{"n":1.0}')
  expect(left).toContain('"id":"i"')
})

describe('is refused', () => {
  test.each([
    '',
    'x',
    '{}',
    '[]',
    '[{}]',
    '[{"fields":[]}]',
    '[{"fields":["/a"],"other":1}]',
    '[{"fields":"/a"}]',
  ])('%s', (text) => {
    expect(() => parseExclusion(text)).toThrow('"exclude" must be a JSON array of objects')
  })

  test.each(['', '/', '/time', '/type', '/request', '/request/id'])(
    'to leave %j out: entries could not be told apart',
    (field) => {
      expect(() => exclude({ fields: [field] })).toThrow(
        '"exclude": every entry keeps /time, /type and /request/id',
      )
    },
  )

  test('a field that is no pointer, and a condition that is no predicate', () => {
    expect(() => exclude({ fields: ['request'] })).toThrow('a field is a JSON pointer')
    expect(() => exclude({ condition: 'request == x', fields: ['/auth'] })).toThrow(
      'word 1 names nothing that an entry has',
    )
  })
})
