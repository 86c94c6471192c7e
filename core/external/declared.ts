/**
 * A plugin's paths as data that crosses the pipe: what routing, policies, help and OpenAPI need of them. Handlers and the
 * reading of fields stay in the plugin's process.
 */
import { z } from 'zod'
import type { Json } from '../json.ts'
import type { FieldSchema } from '../plugin/fields.ts'
import { faultOfPattern } from './safe-pattern.ts'

const line = z.string().max(1024)
const prose = z.string().max(65_536)
const name = z.string().regex(/^[\w-]{1,128}$/, 'a name has letters, digits, "_" and "-"')
const json = z.custom<Json>(() => true)
const jsonObject = z.record(z.string(), z.unknown())

const operationNames = z.enum([
  'read',
  'list',
  'scan',
  'create',
  'update',
  'patch',
  'delete',
  'header',
])

const typeName = z.enum(['string', 'integer', 'number', 'boolean', 'array', 'object'])
const fieldSchema: z.ZodType<FieldSchema> = z.lazy(() =>
  z.object({ type: typeName, format: line.exactOptional(), items: fieldSchema.exactOptional() }),
)

const declaredField = z.object({
  schema: fieldSchema,
  description: prose,
  required: z.boolean(),
  deprecated: z.boolean(),
  query: z.boolean(),
  defaultValue: json.optional(),
  pattern: z
    .string()
    .superRefine((pattern, context) => {
      const fault = faultOfPattern(pattern)
      if (fault !== undefined) context.addIssue(`the pattern is refused: ${fault}`)
    })
    .optional(),
  foldsCase: z.boolean(),
  trimsSlash: z.boolean(),
})

const declaredOperation = z.object({
  summary: line,
  sudo: z.boolean(),
  unauthenticated: z.boolean(),
})

export const declaredSchema = z
  .object({
    patterns: z.array(line).min(1).max(16),
    summary: line,
    description: prose,
    fields: z.record(name, declaredField),
    operations: z.partialRecord(operationNames, declaredOperation),
    tellsCreate: z.boolean(),
    takesAnyField: z.boolean(),
    examples: z
      .array(
        z.object({
          summary: line,
          operation: operationNames,
          path: line,
          request: jsonObject.exactOptional(),
          response: jsonObject.exactOptional(),
        }),
      )
      .max(64),
  })
  .superRefine(({ patterns, fields }, context) => {
    for (const pattern of patterns) {
      const fault = faultOfPath(pattern, Object.keys(fields))
      if (fault !== undefined) context.addIssue(`the path "${pattern}" is refused: ${fault}`)
    }
  })
export type Declared = z.infer<typeof declaredSchema>

function faultOfPath(pattern: string, fields: readonly string[]): string | undefined {
  const names = pattern.split('/').filter((segment) => segment.startsWith(':'))
  if (names.filter((segment) => segment.endsWith('*')).length > 1) return 'it has two rests'
  const unknown = names.find((segment) => !fields.includes(segment.slice(1).replace('*', '')))
  return unknown === undefined ? undefined : `it has no field for "${unknown}"`
}
