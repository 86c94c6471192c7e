/**
 * What is written is read back: every field of every path that has a write, generated from the declarations. A field that
 * is new is written with a value of its type and has to be there again; where that cannot be, `read-back.fixture.ts` says
 * how it is shown, or why it is not.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { declaredRoutes, type Declared } from '../advisories/routes.fixture.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { startCluster, type Cluster } from '../support/kit.ts'
import { ACTIONS, PAIRS, type Pair } from './read-back.fixture.ts'

let cluster: Cluster
let routes: Declared[]
beforeAll(async () => {
  cluster = await startCluster({ debugging: { rawStorage: true, introspection: true } })
  const declared = await declaredRoutes(cluster)
  routes = declared.filter(({ operations }) => operations.has('update') || operations.has('patch'))
})
afterAll(() => cluster.close())

test('of each path that writes it is known how to read it back, or that there is nothing to read', () => {
  const urls = routes.map(({ url }) => url)
  const unknown = routes.filter(
    ({ url, operations }) =>
      !hasOwn(ACTIONS, url) && !hasOwn(PAIRS, url) && !operations.has('read'),
  )
  expect(unknown.map(({ url }) => url)).toEqual([])
  const gone = [...Object.keys(ACTIONS), ...Object.keys(PAIRS)].filter((url) => !urls.includes(url))
  expect(gone).toEqual([])
})

test('every field that is written is read back equal', async () => {
  const wrong: string[] = []
  let compared = 0
  for (const route of routes.filter(({ url }) => !hasOwn(ACTIONS, url))) {
    const pair: Pair = PAIRS[route.url] ?? {}
    await pair.prepare?.(cluster)
    const names = fieldsOf(route)
    for (const name of Object.keys({ ...pair.values, ...pair.unseen })) {
      if (!names.includes(name))
        wrong.push(`${route.url}: the table has ${name}, which is no field`)
    }
    for (const name of names.filter((one) => pair.unseen?.[one] === undefined)) {
      compared++
      const fault = await readBack(route, pair, name)
      if (fault !== undefined) wrong.push(`${route.url} ${name}: ${fault}`)
    }
  }
  expect(wrong).toEqual([])
  expect(compared).toBeGreaterThan(90)
})

test('every field that is patched is read back, too, and the others are as they were', async () => {
  const wrong: string[] = []
  let compared = 0
  for (const route of routes.filter(({ operations }) => operations.has('patch'))) {
    const pair: Pair = PAIRS[route.url] ?? {}
    if (hasOwn(ACTIONS, route.url)) continue
    await pair.prepare?.(cluster)
    for (const name of fieldsOf(route).filter((one) => pair.unseen?.[one] === undefined)) {
      compared++
      const fault = await patchBack(route, pair, name)
      if (fault !== undefined) wrong.push(`${route.url} ${name}: ${fault}`)
    }
  }
  expect(wrong).toEqual([])
  expect(compared).toBeGreaterThan(10)
})

/** Written to one fresh object without the field, and to another with it. @returns what is wrong */
async function readBack(route: Declared, pair: Pair, name: string): Promise<string | undefined> {
  const before = await written(route, pair, { ...pair.base })
  if (typeof before === 'string') return before
  const { write, shown, along } = valueOf(route, pair, name, before)
  const after = await written(route, pair, { ...pair.base, ...along, [name]: write })
  return typeof after === 'string' ? after : unequal(before, after, shown)
}

/** Patched into an object that was there without the field. @returns what is wrong */
async function patchBack(route: Declared, pair: Pair, name: string): Promise<string | undefined> {
  const before = await written(route, pair, { ...pair.base })
  if (typeof before === 'string') return before
  const { write, shown, along, alongPatch = along } = valueOf(route, pair, name, before)
  const body = { ...alongPatch, [name]: write }
  const answer = await cluster.request('PATCH', route.url, { body })
  if (answer.status >= 300) return `a patch answers ${answer.status} ${answer.text}`
  const after = (await pair.read?.(cluster, answer)) ?? (await cluster.read(route.url)).data
  const lost = membersOf(pair.base ?? {}).find(
    (member) =>
      !hasOwn(shown, member) &&
      JSON.stringify(at(before, member)) !== JSON.stringify(at(after, member)),
  )
  return lost === undefined ? unequal(before, after, shown) : `${lost} is no more what it was`
}

/** The names of an object, and those of the objects in it. */
function membersOf(object: JsonObject): string[] {
  return Object.entries(object).flatMap(([name, value]) =>
    isJsonObject(value) ? Object.keys(value).map((inner) => `${name}/${inner}`) : [name],
  )
}

function valueOf(route: Declared, { values }: Pair, name: string, before: JsonObject) {
  const given = values?.[name] ?? { write: sampleFor(route, name, before[name]) }
  return { ...given, shown: given.shown ?? { [name]: given.write } }
}

/** @returns which member is not as it should be, or was so before */
function unequal(before: JsonObject, after: JsonObject, shown: JsonObject): string | undefined {
  for (const [member, expected] of Object.entries(shown)) {
    const found = JSON.stringify(at(after, member))
    if (found !== JSON.stringify(expected)) {
      return `${member} is ${found}, not ${JSON.stringify(expected)}`
    }
    if (JSON.stringify(at(before, member)) === found) return `${member} is ${found} without it, too`
  }
  return undefined
}

/** Written to a fresh object. @returns what is read then, or why it was not taken */
async function written(
  route: Declared,
  pair: Pair,
  body: JsonObject,
): Promise<JsonObject | string> {
  const { url, operations } = route
  await (pair.reset?.(cluster) ?? (operations.has('delete') && cluster.remove(url)))
  const answer = await cluster.write(url, body)
  if (answer.status >= 300) return `a write answers ${answer.status} ${answer.text}`
  if (pair.read !== undefined) return pair.read(cluster, answer)
  const { status, text, data } = await cluster.read(url)
  return status === 200 ? data : `a read answers ${status} ${text}`
}

function fieldsOf({ path, inUrl }: Declared): string[] {
  return Object.entries(path.fields)
    .filter(([name, { facts }]) => !inUrl.has(name) && !facts.query)
    .map(([name]) => name)
}

/** A value of the field's type that is not the one before. */
function sampleFor({ path }: Declared, name: string, before: Json | undefined): Json {
  switch (path.fields[name]?.facts.schema.type) {
    case 'boolean':
      return before !== true
    case 'integer':
    case 'number':
      return 7
    case 'array':
      return ['sample-a', 'sample-b']
    case 'object':
      return { sample: 'text' }
    default:
      return 'sample-text'
  }
}

function at(value: Json | undefined, member: string): Json | undefined {
  let found = value
  for (const name of member.split('/')) {
    found = typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined
  }
  return found
}

function hasOwn(table: object, key: string): boolean {
  return Object.hasOwn(table, key)
}
