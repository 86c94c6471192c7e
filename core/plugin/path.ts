/**
 * A path is data: its pattern, fields, operations and handlers. Routing, validation, OpenAPI, help and documentation
 * come from the one declaration (see `docs/plugins.md`).
 */
import { BadRequest, FieldError } from '../errors.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Field, Fields, Parsed } from './fields.ts'
import { compilePattern, type Pattern } from './pattern.ts'
import type { Request, RequestBase } from './request.ts'
import type { Response } from './response.ts'

/** What a request does; a closed set. `help` is answered by the pipeline itself. */
export type Operation = Declarable | 'help'
/** The operations that a path may declare. `update` serves `create` too where `create` is not declared. */
export type Declarable =
  | 'read'
  | 'list'
  | 'scan'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'header'

/** What a handler answers; nothing: 204 for a write, 404 for a read or list. */
export type Handled = Response | undefined | void
export type Handler<F extends Fields> = (request: Request<F>) => Promise<Handled> | Handled

/** The declaration of one operation; the short form is the handler alone. */
export interface OperationDeclaration<F extends Fields> extends Access {
  readonly handler: Handler<F>
  readonly summary?: string
}

/** Settings of listeners, named as in the configuration. */
export type OpenedBy =
  | 'disable_unauthed_rekey_endpoints'
  | 'disable_unauthed_generate_root_endpoints'

/** What clients know to be said of them in a namespace: of what is said without a look at the caller, and of keys. */
export type RootOnlyText = 'operation unavailable in namespaces' | 'namespace is not sealable'

/** What an operation asks of the caller beside its capability. */
export interface Access {
  /** Needs `sudo` beside the operation's own capability. */
  readonly sudo?: boolean
  /** Takes no token; one that is sent is not refused, whatever it is. */
  readonly unauthenticated?: boolean
  /** The client's token may be the wrapping token that the request is about. */
  readonly takesWrappingToken?: boolean
  /** It is about the client's token, and so happens in that token's namespace, whichever the request names. */
  readonly aboutCaller?: boolean
  /**
   * It is about the token that the field `token` holds, and so happens in the namespace that this token names; one that
   * names none leaves it where the request asks. Without a token it is about the client's.
   */
  readonly aboutGivenToken?: boolean
  /** The setting of a listener that, when it is false, lets anybody do this there without a token; '': none does. */
  readonly openedBy?: OpenedBy | ''
  /**
   * It is about the whole server, so no tenant may do it: there is no such operation in a namespace but the root one.
   * A text is what is said then, where it is another than the usual one.
   */
  readonly rootOnly?: boolean | RootOnlyText
}

export interface PathDeclaration<F extends Fields> extends Access {
  /** One line: what lies here. */
  readonly summary: string
  /** More, for `?help=1` and the documentation. */
  readonly description?: string
  readonly fields?: F
  readonly operations: { readonly [O in Declarable]?: Handler<F> | OperationDeclaration<F> }
  /**
   * Whether the object of a write is there. With it, a POST to an absent object is a `create`; without, every write
   * is an `update`.
   */
  readonly exists?: (request: Request<F>) => Promise<boolean>
  /** The body is the object itself: names that are no fields are data, not mistakes. */
  readonly takesAnyField?: boolean
  /** Requests and answers to show in the documentation. */
  readonly examples?: readonly Example[]
}

export interface Example {
  readonly summary: string
  readonly operation: Declarable
  readonly path: string
  readonly request?: Readonly<Record<string, unknown>>
  readonly response?: Readonly<Record<string, unknown>>
}

/** A declaration made ready: its patterns compiled, its types hidden behind `prepare`. */
export interface Path {
  readonly patterns: readonly Pattern[]
  readonly summary: string
  readonly description: string
  readonly fields: Fields
  readonly operations: ReadonlyMap<Declarable, OperationFacts>
  /** Whether a write asks `exists` first, to tell create from update. */
  readonly tellsCreate: boolean
  readonly takesAnyField: boolean
  /** Fields that the audit log shows as they are; absent: none. */
  readonly clearFields: ReadonlySet<string> | undefined
  readonly examples: readonly Example[]
  /** Parses the fields. @throws {FieldError} */
  prepare(base: RequestBase, input: JsonObject): Prepared
}

export interface OperationFacts extends Required<Access> {
  readonly summary: string
}

/** A request whose data is parsed, ready to run. */
export interface Prepared {
  /** Only where `tellsCreate`. */
  exists(): Promise<boolean>
  run(operation: Declarable): Promise<Handled>
}

/**
 * Declares a path below a mount.
 *
 * @param pattern see `pattern.ts`; several patterns may share a declaration
 */
export function path<const F extends Fields = Record<never, never>>(
  pattern: string | readonly string[],
  declaration: PathDeclaration<F>,
): Path {
  const fields: Fields = declaration.fields ?? {}
  const texts = typeof pattern === 'string' ? [pattern] : pattern
  const handlers = new Map<Declarable, Handler<F>>()
  const operations = new Map<Declarable, OperationFacts>()
  for (const operation of DECLARABLE) {
    const given = declaration.operations[operation]
    if (given === undefined) continue
    const long: OperationDeclaration<F> = typeof given === 'function' ? { handler: given } : given
    handlers.set(operation, long.handler)
    operations.set(operation, {
      summary: long.summary ?? declaration.summary,
      sudo: long.sudo ?? declaration.sudo ?? false,
      unauthenticated: long.unauthenticated ?? declaration.unauthenticated ?? false,
      takesWrappingToken: long.takesWrappingToken ?? declaration.takesWrappingToken ?? false,
      aboutCaller: long.aboutCaller ?? declaration.aboutCaller ?? false,
      aboutGivenToken: long.aboutGivenToken ?? declaration.aboutGivenToken ?? false,
      openedBy: long.openedBy ?? declaration.openedBy ?? '',
      rootOnly: long.rootOnly ?? declaration.rootOnly ?? false,
    })
  }
  return {
    patterns: texts.map((text) => compilePattern(text, fields)),
    summary: declaration.summary,
    description: declaration.description ?? declaration.summary,
    fields,
    operations,
    tellsCreate: declaration.exists !== undefined,
    takesAnyField: declaration.takesAnyField ?? false,
    clearFields: clearFieldsOf(fields),
    examples: declaration.examples ?? [],
    prepare(base, input) {
      const data = parseFields(declaration.fields, input)
      return {
        exists: async () => (await declaration.exists?.({ ...base, data })) ?? true,
        async run(operation) {
          const handler = handlers.get(operation) ?? handlers.get('update')
          return handler?.({ ...base, operation, data })
        },
      }
    },
  }
}

export const DECLARABLE: readonly Declarable[] = [
  'read',
  'list',
  'scan',
  'create',
  'update',
  'patch',
  'delete',
  'header',
]

function clearFieldsOf(fields: Fields): ReadonlySet<string> | undefined {
  const names = Object.keys(fields).filter((name) => fields[name]?.facts.clearInAudit)
  return names.length === 0 ? undefined : new Set(names)
}

function parseFields<F extends Fields>(fields: F | undefined, input: JsonObject): Parsed<F> {
  const parsed: Record<string, unknown> = {}
  for (const name in fields) {
    const field: Field<unknown> | undefined = fields[name]
    if (field !== undefined) parsed[name] = parseField(name, field, input[name])
  }
  // The loop above made each member with the field of that name: this is where the record gets its type.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- TypeScript has no way to make a mapped type member by member
  return parsed as Parsed<F>
}

function parseField(name: string, field: Field<unknown>, input: Json | undefined): unknown {
  if (input !== undefined && input !== null) return field.parse(name, input)
  if (field.facts.defaultValue !== undefined) return field.facts.defaultValue
  if (field.facts.required) throw new FieldError(`missing required field "${name}"`)
  return undefined
}

/** Vault's texts have a prefix where the path does not tell create from update. */
export function fieldFailure(
  error: FieldError,
  { tellsCreate }: Pick<Path, 'tellsCreate'>,
  operation: Operation,
): BadRequest {
  if (tellsCreate && operation === 'update') return error
  return new BadRequest(`Field validation failed: ${error.message}`)
}
