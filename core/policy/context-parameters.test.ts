import { describe, expect, test } from 'vitest'
import { isJsonObject, parseJson, type JsonObject } from '../json.ts'
import { parameterFaults } from './parameter-faults.ts'
import { permitsParameters } from './parameters.ts'
import { parsePolicy } from './parse.ts'

const NAMESPACE = { id: 'root', path: '' }

/** Whether a rule with these conditions lets the request through; the explanation has to agree. */
function permits(conditions: string, data: JsonObject): boolean {
  const text = `path "transit/*" { capabilities = ["update"] ${conditions} }`
  const [rule] = parsePolicy(text, { name: 'p', namespace: NAMESPACE }).rules
  if (rule === undefined) throw new Error('the policy has no rule')
  const permitted = permitsParameters(rule, data)
  expect(parameterFaults(rule, data).length === 0).toBe(permitted)
  return permitted
}

function parseObject(text: string): JsonObject {
  const parsed = parseJson(text)
  return isJsonObject(parsed) ? parsed : {}
}

const context = (encryption_context: JsonObject) => ({ encryption_context })
const batch = (...items: readonly JsonObject[]) => ({ batch_input: items })

describe('contexts that a rule allows', () => {
  test.each([
    ['{ tenant = "a" }', { tenant: 'a' }, true],
    ['{ tenant = "a" }', { tenant: 'b' }, false],
    ['{ tenant = "a" }', { tenant: 'a', more: 'x' }, false],
    ['{ tenant = "a" }', { other: 'a' }, false],
    ['{ tenant = "a" }', {}, false],
    ['{ tenant = "a", "*" = [] }', { tenant: 'a', more: 'x' }, true],
    ['{ tenant = "a", "*" = [] }', { more: 'x' }, false],
    ['{ tenant = ["a", "b-*"] }', { tenant: 'b-1' }, true],
    ['{ tenant = ["a", "b-*"] }', { tenant: 'c' }, false],
    ['{ tenant = [] }', { tenant: 'c' }, true],
    ['{ tenant = "a" }, { tenant = "b" }', { tenant: 'b' }, true],
    ['{ tenant = "a" }', { Tenant: 'a' }, false],
    ['{ tenant = "a" }', parseObject('{"__proto__":"a"}'), false],
  ])('%s and %j: %s', (listed, given, expected) => {
    const rule = `allowed_parameters = { "encryption_context" = [${listed}], "*" = [] }`
    expect(permits(rule, context(given))).toBe(expected)
    expect(permits(rule, batch(context(given)))).toBe(expected)
    expect(permits(rule, batch({ plaintext: '' }, context(given)))).toBe(expected)
  })

  test('an empty list allows all of them', () => {
    const rule = 'allowed_parameters = { "encryption_context" = [], "batch_input" = [] }'
    expect(permits(rule, context({ a: 'b' }))).toBe(true)
    expect(permits(rule, batch(context({ a: 'b' })))).toBe(true)
  })
})

describe('contexts that a rule denies', () => {
  test.each([
    ['[{ tenant = "b" }]', { tenant: 'b' }, false],
    ['[{ tenant = "b" }]', { tenant: 'b', more: 'x' }, false],
    ['[{ tenant = "b" }]', { tenant: 'a' }, true],
    ['[{ tenant = [] }]', { tenant: 'a' }, false],
    ['[{ "*" = [] }]', { tenant: 'a' }, false],
    ['[]', { tenant: 'a' }, false],
  ])('%s and %j: %s', (listed, given, expected) => {
    const rule = `denied_parameters = { "encryption_context" = ${listed} }`
    expect(permits(rule, context(given))).toBe(expected)
    expect(permits(rule, batch(context({ other: '' }), context(given)))).toBe(
      expected && listed !== '[]',
    )
    expect(permits(rule, { plaintext: '' })).toBe(true)
  })
})

describe('contexts that a rule requires', () => {
  const any = 'required_parameters = ["encryption_context"]'
  const named = 'required_parameters = ["encryption_context.Tenant"]'

  test.each([
    [any, context({ a: '' }), true],
    [any, {}, false],
    [any, { encryption_context: null }, false],
    [any, { encryption_context: 'a=b' }, false],
    [any, batch(context({ a: '' })), true],
    [any, batch(context({ a: '' }), {}), false],
    [any, { ...context({ a: '' }), ...batch({}, { encryption_context: null }) }, true],
    [any, { ...context({ a: '' }), ...batch({ encryption_context: 1 }) }, false],
    [named, context({ Tenant: '' }), true],
    [named, context({ tenant: '' }), false],
    [named, batch(context({ Tenant: '' }), context({ a: '' })), false],
  ])('%s and %j: %s', (rule, data, expected) => {
    expect(permits(rule, data)).toBe(expected)
  })
})
