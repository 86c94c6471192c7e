import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemRandom } from '../random.ts'
import { usernameTemplate } from './username-template.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const random = { base62: (length: number) => 'R'.repeat(length), uuid: () => 'the-uuid' }
const WHO = { displayName: 'userpass-bob', roleName: 'read-only-role' }
const render = (text: string, who = WHO) =>
  usernameTemplate(text).render(who, { random, nowMs: NOW })

describe('a username template', () => {
  test.each([
    ['plain', 'plain'],
    ['{{.RoleName}}', 'read-only-role'],
    [
      '{{ .DisplayName | truncate 4 }}-{{- "  x" | truncate 1 | printf "a%sb" | replace " " "_" }}',
      'user-a_b',
    ],
    [
      '{{ printf "v-%s-%s-%s-%s" (.DisplayName | truncate 8) (.RoleName | truncate 8) (random 20) (unix_time) | truncate 63 }}',
      'v-userpass-read-onl-RRRRRRRRRRRRRRRRRRRR-1767323045',
    ],
    [
      '{{ printf "v-%s-%s-%s" (.RoleName | truncate 4) (random 20) | truncate 16 }}',
      'v-read-RRRRRRRRR',
    ],
    ['{{ .RoleName | uppercase | lowercase | replace "-" "_" }}', 'read_only_role'],
    ['{{ unix_time_millis }}{{/* a comment */}}', '1767323045678'],
    ['{{ timestamp "2006-01-02T15.04.05" }}', '2026-01-02T03.04.05'],
    ['{{ timestamp "Mon-Jan-2-3PM.000" }}', 'Fri-Jan-2-3AM.678'],
    ['{{ uuid }}', 'the-uuid'],
    ['{{ "ab" | base64 }}', 'YWI='],
    ['{{ "YWI=" | decode_base64 }}', 'ab'],
    ['{{ "ab" | hex | decode_hex }}', 'ab'],
    ['{{ sha256 "a" | truncate 6 }}', hash('sha256', 'a').slice(0, 6)],
    ['{{ .RoleName | truncate_sha256 12 }}', `read${hash('sha256', '-only-role').slice(0, 8)}`],
    ['{{ .RoleName | truncate_sha256 14 }}', 'read-only-role'],
    ['{{ if eq .RoleName "read-only-role" }}yes{{ else }}no{{ end }}', 'yes'],
    [
      '{{ if ne .RoleName "x" }}{{ if not .DisplayName }}a{{ else if true }}b{{ end }}{{ end }}',
      'b',
    ],
    ['{{ `raw` }}', 'raw'],
  ])('renders %j', (text, name) => {
    expect(render(text)).toBe(name)
  })

  test.each([
    ['{{bad', 'an action is not closed'],
    ['{{bad}}', 'function not defined; there are random, truncate'],
    ['{{.Password}}', 'unknown field; there are .DisplayName, .RoleName'],
    ['{{ if true }}x', '"if" has no "end"'],
    ['x{{ end }}', 'unexpected "end"'],
    ['{{ }}', 'missing value'],
    ['{{ (random 3 }}', 'unclosed left paren'],
    ['{{ random 3) }}', 'unexpected ")"'],
    ['{{ "a" "b" }}', 'only a function takes arguments'],
    ['{{ $x }}', 'unexpected character'],
    ['{{ "\\q" }}', 'unknown escape'],
    ['{{ '.padEnd(5000, '('), 'longer than 4096'],
    [`{{ ${'('.repeat(30)}uuid${')'.repeat(30)} }}`, 'nested too deep'],
  ])('is not %j', (text, why) => {
    expect(() => usernameTemplate(text)).toThrow(why)
  })

  test.each([
    ['{{ random 0 }}', 'max length must be > 0 but was 0'],
    ['{{ random 100000 }}', 'at most 512'],
    ['{{ truncate "a" 3 }}', 'a number where a text belongs'],
    ['{{ uppercase 3 }}', 'too few arguments'],
    ['{{ "a" | "b" }}', 'only a function can stand'],
    ['{{ "x" | truncate_sha256 8 }}', 'above 8'],
    ['{{ printf "%x" 3 }}', 'printf knows'],
    ['{{ printf "a" 3 }}', 'more arguments'],
    ['{{ "" }}', 'gives an empty name'],
    ["a'b", 'gives an empty name'],
  ])('does not render %j', (text, why) => {
    expect(() => render(text)).toThrow(why)
  })

  test('makes a name that needs no quoting of any display name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (displayName) => {
        const template = usernameTemplate('v-{{ .DisplayName | truncate 8 }}-{{ random 4 }}')
        const name = template.render(
          { displayName, roleName: 'r' },
          { random: systemRandom, nowMs: NOW },
        )
        expect(name).toMatch(/^v-[\w.@-]{0,8}-\w{4}$/)
      }),
    )
  })
})
