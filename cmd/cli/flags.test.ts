import { describe, expect, test } from 'vitest'
import { UsageProblem } from './failure.ts'
import { duration, list, maybe, pairs, parseFlags, text, whole, yesNo } from './flags.ts'

const declared = {
  field: text('A text'),
  force: yesNo('A switch', { alias: 'f' }),
  renewable: yesNo('On by itself', { initial: true }),
  'cas-required': maybe('Left to the server'),
  version: whole('A number'),
  ttl: duration('A span'),
  policy: list('Several'),
  metadata: pairs('Several pairs'),
}

function parse(args: readonly string[], anywhere = true) {
  const { valuesOf, words } = parseFlags(declared, args, { anywhere })
  return { values: valuesOf(declared), words }
}

function problemOf(...args: string[]): string {
  try {
    parse(args)
  } catch (error) {
    if (error instanceof UsageProblem) return error.message
    throw error
  }
  throw new Error('it was taken')
}

describe('flags', () => {
  test('are taken with one dash or two, and with = or a space before the value', () => {
    for (const args of [['-field=a'], ['--field=a'], ['-field', 'a'], ['--field', 'a']])
      expect(parse(args).values.field).toBe('a')
  })

  test('that are switches take a value only behind =', () => {
    expect(parse(['-force', 'word'])).toMatchObject({ values: { force: true }, words: ['word'] })
    expect(parse(['-force=false']).values.force).toBe(false)
    expect(parse(['-f']).values.force).toBe(true)
    expect(parse(['-renewable=F']).values.renewable).toBe(false)
  })

  test('that were not given are what they were declared to be', () => {
    expect(parse([]).values).toEqual({
      field: undefined,
      force: false,
      renewable: true,
      'cas-required': undefined,
      version: undefined,
      ttl: undefined,
      policy: [],
      metadata: {},
    })
  })

  test('may hold = and line breaks in their value', () => {
    expect(parse(['-field=a=b\nc']).values.field).toBe('a=b\nc')
    expect(parse(['-field=']).values.field).toBe('')
  })

  test('that may be given several times gather', () => {
    const { values } = parse(['-policy=a', '-policy', 'b', '-metadata=x=1', '-metadata=y=2=3'])
    expect(values.policy).toEqual(['a', 'b'])
    expect(values.metadata).toEqual({ x: '1', y: '2=3' })
  })

  test('that are spans know seconds, units, days and the word system', () => {
    const spans = { '90': 90, '1h30m': 5400, '2d': 172_800, system: -1 }
    for (const [given, seconds] of Object.entries(spans))
      expect(parse([`-ttl=${given}`]).values.ttl).toBe(seconds)
  })

  test('end at --', () => {
    expect(parse(['a', '--', '-force'])).toMatchObject({
      values: { force: false },
      words: ['a', '-force'],
    })
  })

  test('count behind words where that is allowed, and are data where it is not', () => {
    expect(parse(['word', '-force'])).toMatchObject({ values: { force: true }, words: ['word'] })
    expect(parse(['word', '-force'], false)).toMatchObject({
      values: { force: false },
      words: ['word', '-force'],
    })
  })

  test('leave a single dash alone: it stands for standard input', () => {
    expect(parse(['-', '-force']).words).toEqual(['-'])
  })

  test('that do not exist, lack a value or do not fit are refused as Vault refuses them', () => {
    expect(problemOf('-nope')).toBe('flag provided but not defined: -nope')
    expect(problemOf('-field')).toBe('flag needs an argument: -field')
    expect(problemOf('---x')).toBe('bad flag syntax: ---x')
    expect(problemOf('-force=maybe')).toBe('invalid boolean value "maybe" for -force: parse error')
    expect(problemOf('-version=x')).toBe(
      'invalid value "x" for flag -version: strconv.ParseInt: parsing "x": invalid syntax',
    )
    expect(problemOf('-ttl=bad')).toBe(
      'invalid value "bad" for flag -ttl: strconv.ParseInt: parsing "ba": invalid syntax',
    )
    expect(problemOf('-ttl=xs')).toBe(
      'invalid value "xs" for flag -ttl: time: invalid duration "xs"',
    )
    expect(problemOf('-metadata=x')).toContain('missing = in KV pair')
  })

  test('named like members of every object are not defined', () => {
    expect(problemOf('-constructor=x')).toBe('flag provided but not defined: -constructor')
    expect(problemOf('-__proto__')).toBe('flag provided but not defined: -__proto__')
  })
})
