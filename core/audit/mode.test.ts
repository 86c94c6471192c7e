import { expect, test } from 'vitest'
import { modeNotice, parseMode } from './mode.ts'

test.each([
  ['0777', '0666'],
  ['755', '0644'],
  ['4600', '0600'],
  ['1666', '0666'],
  ['0044', '0644'],
])('who asks for %s is told that the file gets %s', (asked, given) => {
  expect(modeNotice(asked)).toMatch(`gets the mode ${given}: `)
})

test.each([undefined, '0600', '600', '0640', '0666', '0', '0000'])(
  'nothing is said of %s, which is what the file gets',
  (asked) => expect(modeNotice(asked)).toBeUndefined(),
)

test.each(['rwx', '17777', '-1', ''])('%j is no mode, and is refused elsewhere', (asked) => {
  expect(parseMode(asked)).toBeUndefined()
  expect(modeNotice(asked)).toBeUndefined()
})
