import { expect, onTestFinished, test } from 'vitest'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { startCluster } from '../../test/support/kit.ts'
import { integer, string } from './fields.ts'
import { openApiOf } from './openapi.ts'
import { path } from './path.ts'

const role = path('role/:name', {
  summary: 'A role',
  fields: {
    name: string('Name of the role.'),
    uses: integer('How often.').default(3),
    depth: integer('How deep.').inQuery(),
  },
  operations: { read: () => undefined, list: () => undefined, update: () => undefined },
})

async function documentOf(query = ''): Promise<JsonObject> {
  const cluster = await startCluster()
  onTestFinished(() => cluster.close())
  const mounts = [
    ['mounts/one', 'kv'],
    ['mounts/two/deep', 'kv-v2'],
    ['auth/approle', 'approle'],
  ] as const
  for (const [at, type] of mounts) {
    expect(await cluster.write(`sys/${at}`, { type })).toMatchObject({ status: 204 })
  }
  return (await cluster.read(`sys/internal/specs/openapi${query}`)).json
}

test.each(['', '?generic_mount_paths=true'])(
  'the document of all mounts keeps the rules of OpenAPI 3.0 (%s)',
  async (query) => {
    expect(faultsOf(await documentOf(query))).toEqual([])
  },
)

test('with generic paths a mount is a parameter, without them its own path', async () => {
  const plain = Object.keys(objectOf((await documentOf())['paths']))
  expect(plain).toContain('/two/deep/data/{path}')

  const generic = Object.keys(objectOf((await documentOf('?generic_mount_paths=true'))['paths']))
  expect(generic).toContain('/{kv_mount_path}/data/{path}')
  expect(generic).toContain('/auth/{approle_mount_path}/role/{role_name}')
  expect(generic).toContain('/sys/mounts/{path}')
})

test('what a path declares is in its document: fields, defaults, where they go', () => {
  const { paths } = openApiOf([{ prefix: 'here/', paths: [role], tag: 'secrets' }])

  expect(paths).toMatchObject({
    '/here/role/{name}': {
      parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string' } }],
      get: { parameters: [{ name: 'list' }, { name: 'depth', in: 'query' }] },
      post: {
        requestBody: {
          content: {
            'application/json': {
              schema: { properties: { uses: { type: 'integer', default: 3 } } },
            },
          },
        },
      },
    },
  })
})

test('the check finds a parameter that is not declared, and two paths that are one', () => {
  const item = { get: { responses: { '200': { description: '' } } } }
  const broken = {
    openapi: '3.0.2',
    info: { title: '', version: '1' },
    paths: { '/a/{x}': item, '/a/{y}': item },
  }

  expect(faultsOf(broken)).toEqual([
    '/a/{x}: the parameters in the path are x, declared are none',
    '/a/{y}: the parameters in the path are y, declared are none',
    '/a/{y}: is the same path as another',
  ])
})

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']
const TYPES = ['string', 'integer', 'number', 'boolean', 'array', 'object']

/** Where the document breaks a rule of OpenAPI 3.0. */
function faultsOf(document: JsonObject): string[] {
  const faults: string[] = []
  const { title, version } = objectOf(document['info'])
  if (!/^3\.0\.\d+$/.test(String(document['openapi']))) faults.push('openapi: no version 3.0')
  if (typeof title !== 'string' || typeof version !== 'string') faults.push('info: is incomplete')
  const shapes = new Set<string>()
  for (const [at, item] of Object.entries(objectOf(document['paths']))) {
    faults.push(...faultsOfItem(at, objectOf(item)).map((fault) => `${at}: ${fault}`))
    const shape = at.replaceAll(/\{[^}]*\}/g, '{}')
    if (shapes.has(shape)) faults.push(`${at}: is the same path as another`)
    shapes.add(shape)
  }
  return faults
}

function faultsOfItem(at: string, item: JsonObject): string[] {
  const faults: string[] = []
  if (!at.startsWith('/')) faults.push('a path begins with "/"')
  const known = new Set([...METHODS, 'parameters', 'description', 'summary'])
  for (const key of Object.keys(item)) {
    if (!known.has(key) && !key.startsWith('x-')) faults.push(`${key} means nothing there`)
  }
  const shared = listOf(item['parameters'])
  const inPath = [...at.matchAll(/\{([^}]+)\}/g)].map(([, name]) => String(name))
  const declared = shared.filter((one) => one['in'] === 'path').map((one) => String(one['name']))
  if (inPath.toSorted().join() !== declared.toSorted().join()) {
    const words = (names: readonly string[]) => names.join() || 'none'
    faults.push(`the parameters in the path are ${words(inPath)}, declared are ${words(declared)}`)
  }
  for (const method of METHODS) {
    const operation = item[method]
    if (operation === undefined) continue
    const found = faultsOfOperation(objectOf(operation), shared)
    faults.push(...found.map((fault) => `${method}: ${fault}`))
  }
  return faults
}

function faultsOfOperation(operation: JsonObject, shared: readonly JsonObject[]): string[] {
  const faults: string[] = []
  const responses = Object.entries(objectOf(operation['responses']))
  if (responses.length === 0) faults.push('an operation has a response')
  for (const [status, response] of responses) {
    if (!/^(?:[1-5]\d\d|default)$/.test(status)) faults.push(`${status} is no status`)
    if (typeof objectOf(response)['description'] !== 'string')
      faults.push(`${status}: a response has a description`)
  }
  const seen = new Set<string>()
  for (const one of [...shared, ...listOf(operation['parameters'])]) {
    const key = `${String(one['in'])} ${String(one['name'])}`
    if (seen.has(key)) faults.push(`the parameter ${key} stands there twice`)
    seen.add(key)
    if (one['in'] === 'path' && one['required'] !== true) faults.push(`${key} must be required`)
    faults.push(...faultsOfSchema(one['schema']).map((fault) => `${key}: ${fault}`))
  }
  const content = objectOf(objectOf(operation['requestBody'] ?? {})['content'] ?? {})
  for (const [type, media] of Object.entries(content)) {
    faults.push(...faultsOfSchema(objectOf(media)['schema']).map((fault) => `${type}: ${fault}`))
  }
  return faults
}

function faultsOfSchema(schema: Json | undefined): string[] {
  if (!isJsonObject(schema)) return ['a schema is an object']
  const type = String(schema['type'])
  const faults = TYPES.includes(type) ? [] : [`${type} is no type`]
  if (type === 'array') faults.push(...faultsOfSchema(schema['items']))
  const properties = objectOf(schema['properties'] ?? {})
  for (const [name, inner] of Object.entries(properties)) {
    faults.push(...faultsOfSchema(inner).map((fault) => `${name}: ${fault}`))
  }
  const { required } = schema
  if (required !== undefined && (!Array.isArray(required) || required.length === 0)) {
    faults.push('required is a list with something in it')
  }
  if (Array.isArray(required)) {
    for (const name of required)
      if (!(String(name) in properties)) faults.push(`${String(name)} is required and not there`)
  }
  return faults
}

function objectOf(value: unknown): JsonObject {
  if (!isJsonObject(value)) throw new Error('it is no object')
  return value
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.map(objectOf) : []
}
