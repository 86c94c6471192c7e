/** OpenAPI 3.0.2 out of the declared paths. */
import { WIRE_VERSION } from '../version.ts'
import type { Field, FieldSchema } from './fields.ts'
import type { Declarable, OperationFacts, Path } from './path.ts'
import type { Pattern } from './pattern.ts'

/** The paths of one mount. */
export interface MountedPaths {
  /** With a trailing '/'. A name in braces stands for whatever the mount's path is. */
  readonly prefix: string
  readonly paths: readonly Path[]
  readonly tag: string
}

type JsonSchema = Record<string, unknown>

export function openApiOf(mounts: readonly MountedPaths[]): Record<string, unknown> {
  const paths: Record<string, unknown> = {}
  for (const { prefix, paths: declared, tag } of mounts) {
    for (const path of declared) {
      for (const pattern of path.patterns)
        paths[`/${prefix}${template(pattern)}`] ??= pathItem(path, pattern, {
          prefix,
          tag,
        })
    }
  }
  return {
    openapi: '3.0.2',
    info: {
      title: 'Keyhold API',
      description:
        'HTTP API that gives you full access to Keyhold. All API routes are prefixed with `/v1/`.',
      version: WIRE_VERSION,
      license: { name: 'Mozilla Public License 2.0', url: 'https://www.mozilla.org/en-US/MPL/2.0' },
    },
    paths,
    components: { schemas: {} },
  }
}

function template(pattern: Pattern): string {
  return pattern.segments
    .map((segment) => (segment.kind === 'literal' ? segment.text : `{${segment.name}}`))
    .join('/')
}

function pathItem(
  path: Path,
  pattern: Pattern,
  { prefix, tag }: Omit<MountedPaths, 'paths'>,
): JsonSchema {
  const inPath = new Set(
    pattern.segments.flatMap((segment) => (segment.kind === 'literal' ? [] : [segment.name])),
  )
  const item: JsonSchema = { description: path.description }
  const parameters = [
    ...mountParameters(prefix),
    ...[...inPath].map((name) => parameter(path, name, 'path')),
  ]
  if (parameters.length > 0) item['parameters'] = parameters
  if ([...path.operations.values()].some(({ sudo }) => sudo)) item['x-vault-sudo'] = true
  if ([...path.operations.values()].some(({ unauthenticated }) => unauthenticated))
    item['x-vault-unauthenticated'] = true
  if (path.tellsCreate) item['x-vault-createSupported'] = true
  for (const [operation, facts] of path.operations) {
    const method = METHODS[operation]
    if (method === undefined || (method === 'get' && 'get' in item)) continue
    item[method] = operationItem(path, operation, facts, inPath, tag)
  }
  return item
}

function mountParameters(prefix: string): JsonSchema[] {
  return [...prefix.matchAll(/\{([^}]+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    description: 'Path where the engine or method is mounted.',
    required: true,
    schema: { type: 'string' },
  }))
}

const METHODS: Readonly<Record<Declarable, 'get' | 'post' | 'patch' | 'delete' | undefined>> = {
  read: 'get',
  list: 'get',
  scan: undefined,
  create: 'post',
  update: 'post',
  patch: 'patch',
  delete: 'delete',
  header: undefined,
}

const LIST = {
  name: 'list',
  in: 'query',
  description: 'Lists what lies below the path.',
  schema: { type: 'string', enum: ['true'] },
}

function operationItem(
  path: Path,
  operation: Declarable,
  facts: OperationFacts,
  inPath: ReadonlySet<string>,
  tag: string,
): JsonSchema {
  const item: JsonSchema = {
    summary: facts.summary,
    tags: [tag],
    responses: { '200': { description: 'OK' } },
  }
  const names = Object.keys(path.fields).filter((name) => !inPath.has(name))
  if (operation === 'list') {
    item['parameters'] = [
      { ...LIST, required: true },
      ...names.map((name) => parameter(path, name, 'query')),
    ]
  } else if (operation === 'read' || operation === 'delete') {
    const query = names
      .filter((name) => path.fields[name]?.facts.query)
      .map((name) => parameter(path, name, 'query'))
    // The one `get` of the document stands for both.
    const both = operation === 'read' && path.operations.has('list') ? [LIST] : []
    if (query.length + both.length > 0) item['parameters'] = [...both, ...query]
  } else if (names.length > 0) {
    item['requestBody'] = requestBody(path, names, operation)
  }
  return item
}

function requestBody(path: Path, names: readonly string[], operation: Declarable): JsonSchema {
  const properties: JsonSchema = {}
  for (const name of names) properties[name] = fieldSchema(path.fields[name])
  const required = names.filter((name) => path.fields[name]?.facts.required)
  const schema = { type: 'object', properties, ...(required.length > 0 && { required }) }
  const type = operation === 'patch' ? 'application/merge-patch+json' : 'application/json'
  return { required: true, content: { [type]: { schema } } }
}

function parameter(path: Path, name: string, place: 'path' | 'query'): JsonSchema {
  const { description, ...schema } = fieldSchema(path.fields[name])
  return { name, in: place, description, ...(place === 'path' && { required: true }), schema }
}

function fieldSchema(field: Field<unknown> | undefined): JsonSchema {
  if (field === undefined) return { type: 'string' }
  const { schema, description, defaultValue, deprecated } = field.facts
  return {
    ...schemaOf(schema),
    description,
    ...(defaultValue !== undefined && { default: defaultValue }),
    ...(deprecated && { deprecated }),
  }
}

function schemaOf({ type, format, items }: FieldSchema): JsonSchema {
  return {
    type,
    ...(format !== undefined && { format }),
    ...(items !== undefined && { items: schemaOf(items) }),
  }
}
