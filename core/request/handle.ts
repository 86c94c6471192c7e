/** Runs the declared path of a request: its data typed, its storage view its own. */
import {
  assert,
  BadRequest,
  FieldError,
  NotFound,
  UnsupportedOperation,
  UnsupportedPath,
} from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { LocalMounts } from '../mounts/local.ts'
import { mountOf, type SystemTtl } from '../mounts/mount.ts'
import { mountPrefix } from '../mounts/record.ts'
import { ROOT } from '../namespaces.ts'
import { passwordBy } from '../password/named.ts'
import {
  fieldFailure,
  type Declarable,
  type Operation,
  type OperationFacts,
  type Path,
  type Prepared,
} from '../plugin/path.ts'
import type { Match } from '../plugin/pattern.ts'
import type { Caller, Mount, RequestBase } from '../plugin/request.ts'
import type { Random } from '../random.ts'
import type { View } from '../store/view.ts'
import { header, type Incoming } from './incoming.ts'
import type { Route, Target } from './route.ts'

export interface HandleContext {
  readonly root: View
  readonly requestId: string
  readonly nowMs: number
  readonly random: Random
  readonly systemTtl: SystemTtl
  readonly locals: LocalMounts
}

/** A request at its path, typed. */
export interface Bound {
  readonly match: Match<Path>
  readonly mount: Mount
  readonly prepared: Prepared
  /** About fields that the path does not have, or has itself. */
  readonly warnings: readonly string[]
}

/** hot: what the operation asks for; `undefined`: there is no such path or operation. */
export function declaredOperation(
  { target }: Route,
  operation: Operation,
): OperationFacts | undefined {
  return operation === 'help' ? undefined : target?.match?.path.operations.get(operation)
}

/**
 * Finds the operation. @throws {NotFound} nothing is mounted there {UnsupportedPath} {UnsupportedOperation}
 */
export function demandOperation(
  route: Route,
  operation: Declarable,
): { target: Target; match: Match<Path> } {
  const { target } = route
  if (target === undefined) {
    throw new NotFound(`no handler for route "${route.path}". route entry not found.`)
  }
  if (target.match === undefined) throw new UnsupportedPath()
  const { operations } = target.match.path
  if (isListOfNoFolder(route, target.match, operation)) throw new UnsupportedPath()
  const facts =
    operations.get(operation) ?? (operation === 'create' ? operations.get('update') : undefined)
  if (facts === undefined) throw new UnsupportedOperation()
  if (facts.rootOnly !== false && route.namespace.id !== ROOT.id) {
    throw new BadRequest(
      facts.rootOnly === true ? 'operation only available in root namespace' : facts.rootOnly,
    )
  }
  return { target, match: target.match }
}

/** A listing of what has no folder form: its path, which ends in '/', is the path of nothing. */
function isListOfNoFolder(route: Route, { path }: Match<Path>, operation: Declarable): boolean {
  if (operation !== 'list' && operation !== 'scan') return false
  const { operations, patterns } = path
  return (
    !operations.has('list') &&
    !operations.has('scan') &&
    route.path.endsWith('/') &&
    patterns.every(({ restAt }) => restAt < 0)
  )
}

/** Gives the handler's request its data. @throws {FieldError} */
export function bind(
  context: HandleContext,
  incoming: Incoming,
  route: Route,
  caller: Caller | undefined,
): Bound {
  const { target } = route
  assert(target?.match !== undefined, 'only a declared path is bound')
  const { entry, instance, match } = target
  const mount = mountOf(entry, context.systemTtl)
  const privileged = instance.type.privileged === true
  const base: RequestBase = {
    id: context.requestId,
    operation: incoming.operation,
    path: match.canonical,
    nameFolded: !incoming.path.endsWith(match.canonical),
    body: incoming.body,
    storage: privileged ? context.root : context.root.below(mountPrefix(entry.uuid)),
    mount,
    namespace: route.namespace,
    caller,
    clientToken: privileged ? incoming.token : '',
    wrapTtlSeconds: incoming.wrapTtlSeconds,
    client: incoming.client,
    headers: passedHeaders(incoming, entry.config.passthroughRequestHeaders),
    nowMs: context.nowMs,
    random: context.random,
    generatePassword: (policy) =>
      passwordBy({ ...context, namespaceId: route.namespace.id }, policy),
    local: context.locals.of(entry.uuid),
  }
  const { input, warnings } = withParams(incoming.body, match)
  return { match, mount, warnings, prepared: prepare(match.path, base, input) }
}

function prepare(path: Path, base: RequestBase, input: JsonObject): Prepared {
  try {
    return path.prepare(base, input)
  } catch (error) {
    throw error instanceof FieldError ? fieldFailure(error, path, base.operation) : error
  }
}

const NO_WARNINGS: readonly string[] = []

function withParams(
  body: JsonObject,
  { path, params }: Match<Path>,
): { input: JsonObject; warnings: readonly string[] } {
  let warnings = NO_WARNINGS
  if (!path.takesAnyField) {
    const names = Object.keys(body)
    const unknown = names.filter((name) => !Object.hasOwn(path.fields, name))
    const replaced = names.filter((name) => Object.hasOwn(params, name))
    if (unknown.length > 0) {
      warnings = [`Endpoint ignored these unrecognized parameters: [${unknown.sort().join(' ')}]`]
    }
    if (replaced.length > 0) {
      const list = replaced.sort().join(' ')
      warnings = [
        ...warnings,
        `Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [${list}]`,
      ]
    }
  }
  return { input: Object.keys(params).length === 0 ? body : { ...body, ...params }, warnings }
}

const NO_HEADERS: ReadonlyMap<string, string> = new Map()
/** What would carry a token of ours to a plugin never passes. */
const NEVER_PASSED = new Set(['x-vault-token', 'x-vault-wrap-ttl'])
const BEARER = /^\s*bearer\b/i

function passedHeaders(
  incoming: Incoming,
  allowed: readonly string[] | undefined,
): ReadonlyMap<string, string> {
  if (allowed === undefined || allowed.length === 0) return NO_HEADERS
  const passed = new Map<string, string>()
  for (const name of allowed.map((one) => one.toLowerCase())) {
    // An operator has named it, perhaps as a member that every object has.
    const value = Object.hasOwn(incoming.headers, name) ? header(incoming, name) : undefined
    if (value === undefined || NEVER_PASSED.has(name)) continue
    if (name === 'authorization' && BEARER.test(value)) continue
    passed.set(name, value)
  }
  return passed
}
