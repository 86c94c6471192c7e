import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePattern } from './pattern.ts'
import { PatternTree } from './pattern-tree.ts'
import { rulePath } from './cases.fixture.ts'
import { matches, comparePatterns } from './pattern.ts'
import { contains, isShadowedBy } from './shadow.ts'

test.each([
  ['a/+/*', 'a/*'],
  ['a/+/b/*', 'a/*'],
  ['a/+/+/*', 'a/+/*'],
])('%s never applies beside %s', (text, other) => {
  expect(isShadowedBy(parsePattern(text), parsePattern(other))).toBe(true)
  expect(isShadowedBy(parsePattern(other), parsePattern(text))).toBe(false)
})

test.each([
  ['a/b', '*'],
  ['a/+', 'a/*'],
  ['a/+/b', 'a/*'],
  ['a/b/*', 'a/*'],
  ['+/b/*', '+/*'],
  ['a/+/*', 'a/b/*'],
])('%s applies beside %s', (text, other) => {
  expect(isShadowedBy(parsePattern(text), parsePattern(other))).toBe(false)
})

const path = fc.array(fc.constantFrom('a', 'b', 'ab', ''), { minLength: 1, maxLength: 4 })

test('one pattern contains another where all of its paths fit, and a shadowed one is never found', () => {
  let shadowed = 0
  fc.assert(
    fc.property(rulePath, rulePath, fc.array(path, { minLength: 20 }), (one, other, segments) => {
      const [a, b] = [parsePattern(one), parsePattern(other)]
      const paths = segments.map((each) => each.join('/'))
      if (contains(b, a)) {
        expect(paths.filter((each) => matches(a, each) && !matches(b, each))).toEqual([])
      }
      if (one === other || !isShadowedBy(a, b)) return
      shadowed++
      const tree = new PatternTree<{ text: string; rank: number }>()
      for (const [rank, pattern] of [a, b].toSorted(comparePatterns).entries()) {
        tree.add(pattern, { text: pattern.text, rank })
      }
      expect(paths.filter((each) => tree.find(each)?.text === one)).toEqual([])
    }),
    { numRuns: 20_000 },
  )
  expect(shadowed).toBeGreaterThan(20)
})
