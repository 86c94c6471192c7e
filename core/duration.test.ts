import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { goDuration, humanDuration, InvalidDuration, parseDurationSeconds } from './duration.ts'

describe('a duration is read', () => {
  test.each<[string | number, number]>([
    [3600, 3600],
    [0.5, 0.5],
    ['', 0],
    ['0', 0],
    ['3600', 3600],
    ['-1', -1],
    ['+5', 5],
    ['90s', 90],
    ['1h30m', 5400],
    ['1h30m15s', 5415],
    ['500ms', 0.5],
    ['300ms', 0.3],
    ['1.5h', 5400],
    ['.5s', 0.5],
    ['1.s', 1],
    ['-1.5h', -5400],
    ['2d', 172_800],
    ['-2d', -172_800],
    ['1ns', 1e-9],
    ['1us', 1e-6],
    ['1µs', 1e-6],
    ['1μs', 1e-6],
    ['2562047h', 2562047 * 3600],
  ])('from %j as %d seconds', (input, seconds) => {
    expect(parseDurationSeconds(input)).toBe(seconds)
  })
})

describe('what is no duration is refused without repeating it', () => {
  test.each([
    'x',
    'abc',

    '1.5',
    '1x',
    '1h 30m',
    ' 1h',
    '1h-30m',
    '--1h',
    '1d12h',
    '1.5d',
    '.s',
    's',
    '1e3',
    '0x10',
    '99999999h',
    '99999999999999999999',
    '106752d',
    `${'1s'.repeat(60)}`,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e30,
  ])('%j', (input) => {
    expect(() => parseDurationSeconds(input)).toThrow(InvalidDuration)
    try {
      parseDurationSeconds(input)
    } catch (error) {
      expect(String(error)).toBe(
        'InvalidDuration: time: invalid duration; give seconds or a number with a unit, such as "90s" or "1h30m"',
      )
    }
  })

  test('whatever the text, it is a finite number or InvalidDuration', () => {
    const piece = fc.constantFrom(
      '1',
      '09',
      '.',
      '-',
      '+',
      'h',
      'm',
      's',
      'ms',
      'd',
      'µs',
      'e',
      ' ',
      '9'.repeat(30),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (text) => {
          try {
            expect(parseDurationSeconds(text)).toSatisfy(Number.isFinite)
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidDuration)
          }
        },
      ),
    )
  })
})

describe('a duration is printed as Go does', () => {
  test.each([
    [0, '0s'],
    [1, '1s'],
    [-1, '-1s'],
    [1.5, '1.5s'],
    [59.999, '59.999s'],
    [60, '1m0s'],
    [90, '1m30s'],
    [3600, '1h0m0s'],
    [5400, '1h30m0s'],
    [-5400, '-1h30m0s'],
    [3600.25, '1h0m0.25s'],
    [86_400, '24h0m0s'],
    [0.25, '250ms'],
    [0.0015, '1.5ms'],
    [0.000_002_5, '2.5µs'],
    [1e-9, '1ns'],
  ])('%d seconds', (seconds, text) => {
    expect(goDuration(seconds)).toBe(text)
  })

  test('and read again is what it was', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (milliseconds) => {
        const seconds = milliseconds / 1000
        expect(parseDurationSeconds(goDuration(seconds))).toBeCloseTo(seconds, 6)
      }),
    )
  })

  test.each([
    [0, '0s'],
    [10, '10s'],
    [600, '10m'],
    [3600, '1h'],
    [5400, '1h30m'],
    [3601, '1h0m1s'],
    [768 * 3600, '768h'],
    [9999 * 3600, '9999h'],
  ])('%d seconds in a warning', (seconds, text) => {
    expect(humanDuration(seconds)).toBe(text)
  })
})
