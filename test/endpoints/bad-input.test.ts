/**
 * Bad input to every field of every path, generated from the declarations: it is refused or taken, never a fault of the
 * server, and a refusal names the field.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { declaredRoutes, METHODS, type Declared } from '../advisories/routes.fixture.ts'
import type { FieldSchema } from '../../core/plugin/fields.ts'
import type { JsonObject } from '../../core/json.ts'
import { startCluster, type Answer, type Cluster } from '../support/kit.ts'
import { PAIRS } from './read-back.fixture.ts'

/** They end what the other requests need. */
const ENDING = new Set(['sys/seal', 'auth/token/revoke-self'])
const LONG = 'x'.repeat(64 * 1024)
const DEEP = `${'['.repeat(200)}1${']'.repeat(200)}`

/** JSON texts of values that are no such thing. */
const WRONG: Readonly<Record<FieldSchema['type'], readonly string[]>> = {
  string: ['{}', '[]', '[["a"]]', '{"a":{"b":[]}}', DEEP],
  integer: ['{}', '[]', '"x"', '"1x"', '"0x"', '1.5', '1e400', '-1e400', '9'.repeat(400), DEEP],
  number: ['{}', '[]', '"x"', '1e400', DEEP],
  boolean: ['{}', '[]', '"x"', '"yes"', DEEP],
  array: ['{}', '[{}]', '[["a"]]', '[null]', '{"a":1}', DEEP],
  object: ['5', '"x"', 'true', '["x"]', '[[]]', DEEP],
}
/** Right or wrong, as the field has it. */
const ODD = [
  'null',
  'true',
  'false',
  '""',
  '"  "',
  '[]',
  '{}',
  '0',
  '-1',
  '-0',
  '1e3',
  '9007199254740993',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u202e\\u2028"',
  '"../../x"',
  '"*"',
  '"+"',
  '"a,b"',
  '"root"',
  '"ROOT "',
  '"constructor"',
  '"__proto__"',
  '{"__proto__":{"a":1}}',
  '{"":""}',
  '[""]',
  '["a","a"]',
  '["root"]',
  '"-1s"',
  '"9999999999999h"',
  '"1h"',
  `"${LONG}"`,
  `["${LONG}"]`,
  `{"${LONG}":"x"}`,
  `[${'"x",'.repeat(9_999)}"x"]`,
  '9'.repeat(400),
]

const ODD_NAMES = [
  'A',
  '0',
  '-1',
  ' ',
  'a b',
  'a/b',
  'a/',
  '/',
  '*',
  '+',
  '.',
  'a,b',
  'a=b',
  '%',
  'ß',
  '\u202e',
  '𝕊',
  '__proto__',
  'constructor',
  'root',
  'sys',
  'x'.repeat(1_100),
  'a/'.repeat(300),
  '{{identity.entity.id}}',
]
/** Texts that clients know of the reference, which has another name for the field. */
const KNOWN_TEXTS = /backend max lease TTL of|tuning of user lockout configuration/

let cluster: Cluster
let routes: Declared[]
beforeAll(async () => {
  cluster = await startCluster({ nodes: 1, debugging: { rawStorage: true, introspection: true } })
  routes = (await declaredRoutes(cluster)).filter(({ url }) => !ENDING.has(url))
  for (const { prepare } of Object.values(PAIRS)) await prepare?.(cluster)
})
afterAll(() => cluster.close())

test('a value of another type is refused by the name of its field, and no value is a fault', async () => {
  const wrong: string[] = []
  let sent = 0
  for (const route of routes) {
    for (const name of namesOf(route)) {
      const type = route.path.fields[name]?.facts.schema.type ?? 'string'
      for (const method of writesOf(route)) {
        const without = await send(method, route.url, bodyOf(route))
        for (const value of WRONG[type]) {
          sent++
          const answer = await send(method, route.url, bodyOf(route), [name, value])
          const said = fault(answer) ?? unnamed(answer, without, name)
          if (said !== undefined)
            wrong.push(`${method} ${route.url} ${name} ${value.slice(0, 30)}: ${said}`)
        }
        for (const value of ODD) {
          sent++
          const said = fault(await send(method, route.url, bodyOf(route), [name, value]))
          if (said !== undefined)
            wrong.push(`${method} ${route.url} ${name} ${value.slice(0, 30)}: ${said}`)
        }
      }
    }
  }
  expect(wrong).toEqual([])
  expect(sent).toBeGreaterThan(10_000)
  expect(cluster.failures).toEqual([])
})

test('a name that is no field is no fault, whatever it holds', async () => {
  const wrong: string[] = []
  for (const route of routes) {
    for (const method of writesOf(route)) {
      for (const name of ['unknown', '', '__proto__', 'constructor', 'toString', LONG, '\u0000']) {
        const said = fault(await send(method, route.url, bodyOf(route), [name, '{"a":[1]}']))
        if (said !== undefined) wrong.push(`${method} ${route.url} ${name.slice(0, 30)}: ${said}`)
      }
    }
  }
  expect(wrong).toEqual([])
})

test('a name in a path that is no such name is refused or taken', async () => {
  const wrong: string[] = []
  for (const route of routes.filter(({ url }) => url.includes('sample'))) {
    for (const name of ODD_NAMES) {
      const url = route.url.replaceAll('sample', encodeURIComponent(name))
      for (const operation of route.operations.keys()) {
        const body = operation === 'update' || operation === 'patch' ? bodyOf(route) : undefined
        const said = fault(await cluster.request(METHODS[operation], url, { body }))
        if (said !== undefined) wrong.push(`${operation} ${url.slice(0, 100)}: ${said}`)
      }
    }
  }
  expect(wrong).toEqual([])
  expect(cluster.failures).toEqual([])
})

test('a query that is no such value is refused or taken', async () => {
  const wrong: string[] = []
  for (const route of routes) {
    for (const operation of ['read', 'list', 'scan', 'delete'] as const) {
      if (!route.operations.has(operation)) continue
      for (const name of [...namesOf(route), 'unknown', '__proto__']) {
        for (const value of [
          '',
          'x',
          '-1',
          '1.5',
          '9'.repeat(400),
          '{}',
          '["a"]',
          '%00',
          '%ff',
          'x'.repeat(5_000),
        ]) {
          const answer = await cluster.request(METHODS[operation], `${route.url}?${name}=${value}`)
          const said = fault(answer)
          if (said !== undefined) wrong.push(`${operation} ${route.url} ${name} ${value}: ${said}`)
        }
      }
    }
  }
  expect(wrong).toEqual([])
})

function namesOf({ path, inUrl }: Declared): string[] {
  return Object.keys(path.fields).filter((name) => !inUrl.has(name))
}

function writesOf({ operations }: Declared): string[] {
  return ['POST', 'PATCH'].filter((method) =>
    [...operations.keys()].some((operation) => METHODS[operation] === method),
  )
}

const bodyOf = ({ url }: Declared): JsonObject => PAIRS[url]?.base ?? {}

/** @param added a member, its value as JSON text, in place of one of that name */
function send(
  method: string,
  url: string,
  body: JsonObject,
  added?: readonly [name: string, value: string],
): Promise<Answer> {
  const members = Object.entries(body)
    .filter(([name]) => name !== added?.[0])
    .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  if (added !== undefined) members.push(`${JSON.stringify(added[0])}:${added[1]}`)
  return cluster.request(method, url, { text: `{${members.join(',')}}` })
}

/** Another system that is not there (502) is no fault of ours. */
function fault({ status, text }: Answer): string | undefined {
  return status < 500 || status === 502 ? undefined : `${status} ${text}`
}

/** Refused without naming the field, though it is what the refusal is for. */
function unnamed(answer: Answer, without: Answer, name: string): string | undefined {
  const isRefused = answer.status >= 400 && answer.text !== without.text
  const isNamed = answer.text.includes(name) || KNOWN_TEXTS.test(answer.text)
  return isRefused && !isNamed ? answer.text : undefined
}
