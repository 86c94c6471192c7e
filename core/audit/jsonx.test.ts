import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonxOf } from './jsonx.ts'

test('members stand in the order of their names, each value in the element of its type', () => {
  const json = '{"b":{"z":null,"a":[1,"x",true,{"n":1.0}]},"a":"text"}'
  expect(jsonxOf(json)).toBe(
    '<json:string name="a">text</json:string><json:object name="b"><json:array name="a"><json:number>1</json:number><json:string>x</json:string><json:boolean>true</json:boolean><json:object><json:number name="n">1.0</json:number></json:object></json:array><json:null name="z" /></json:object>',
  )
})

test('no value and no name of a client becomes an element, or a line of its own', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, value) => {
      const text = jsonxOf(JSON.stringify({ [`a${name}`]: value }))
      expect(text).toMatch(/^<json:string name="(?:[^"<>]|&#?\w+;)*">[^<>]*<\/json:string>$/)
      expect(text).not.toMatch(/[\n\r]/)
    }),
  )
  expect(jsonxOf('{"a":"</json:string><json:string name=\\"type\\">x&\\u0000"}')).toBe(
    '<json:string name="a">&lt;/json:string&gt;&lt;json:string name=&#34;type&#34;&gt;x&amp;\uFFFD</json:string>',
  )
})
