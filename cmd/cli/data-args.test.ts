import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringifyJson } from '../../core/json.ts'
import { parseData, parseQuery, parseTexts } from './data-args.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyhold-data-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const noInput = (): Promise<Buffer> => Promise.reject(new Error('standard input was asked for'))
const input = (text: string) => (): Promise<Buffer> => Promise.resolve(Buffer.from(text))

describe('data on the command line', () => {
  test('is cut at the first =', async () => {
    expect(await parseData(['a=b', 'url=x?y=z', 'empty='], noInput)).toEqual({
      a: 'b',
      url: 'x?y=z',
      empty: '',
    })
  })

  test('keeps any key and value as it is, unless the value begins with @, \\@ or is -', async () => {
    const key = fc
      .string({ minLength: 1 })
      .filter((text) => !/[=]/.test(text) && text !== '__proto__')
    const value = fc.string().filter((text) => !/^(?:@|\\@|-$)/.test(text))
    await fc.assert(
      fc.asyncProperty(key, value, async (name, text) => {
        expect(await parseData([`${name}=${text}`], noInput)).toEqual({ [name]: text })
      }),
    )
  })

  test('takes a key called __proto__ as any other', async () => {
    const data = await parseData(['__proto__=x'], noInput)
    expect(Object.keys(data)).toEqual(['__proto__'])
  })

  test('makes a list of a key that is given several times', async () => {
    expect(await parseData(['a=1', 'a=2', 'a=3'], noInput)).toEqual({ a: ['1', '2', '3'] })
  })

  test('takes a value from a file or from standard input, line ends and all', async () => {
    const path = file('value.txt', 'hello\n')
    expect(await parseData([`v=@${path}`, 'w=-'], input('typed\n'))).toEqual({
      v: 'hello\n',
      w: 'typed\n',
    })
  })

  test('takes an @ as it is behind a backslash', async () => {
    expect(await parseData(['v=\\@ann'], noInput)).toEqual({ v: '@ann' })
  })

  test('takes whole objects from a file and from standard input, numbers unchanged', async () => {
    const path = file('data.json', '{"x": "y", "big": 12345678901234567890, "one": 1.0}')
    const data = await parseData([`@${path}`, '-', 'x=z'], input('{"n": 5}'))
    expect(stringifyJson(data)).toBe('{"big":12345678901234567890,"n":5,"one":1.0,"x":["y","z"]}')
  })

  test('is refused where it is no pair, with what would be right', async () => {
    await expect(parseData(['bad'], noInput)).rejects.toThrow(
      'Failed to parse K=V data: invalid key/value pair "bad": format must be key=value',
    )
    await expect(parseData(['v=@/nonexistent'], noInput)).rejects.toThrow(
      'open /nonexistent: no such file or directory',
    )
    await expect(parseData(['-'], input('[1]'))).rejects.toThrow('no JSON object')
    await expect(parseData(['-'], input('{"a"'))).rejects.toThrow('not JSON')
    await expect(parseData(['-', 'a=-'], input('{}'))).rejects.toThrow('stdin already consumed')
  })

  test('becomes texts or query parameters where those are needed', async () => {
    const source = '{"flag": true, "n": 1.50, "many": ["a", 2], "none": null}'
    expect(await parseTexts(['-'], input('{"flag": true, "n": 1.50}'))).toEqual({
      flag: '1',
      n: '1.50',
    })
    expect(await parseQuery(['-'], input(source))).toEqual({
      flag: ['1'],
      n: ['1.50'],
      many: ['a', '2'],
      none: [''],
    })
  })
})
