/** An external plugin as the rest of the server knows it: paths and hooks like any other's, which run elsewhere. */
import { FieldError, RequestError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { instanceOf, type Instance } from '../mounts/registry.ts'
import { Field, string, type Fields } from '../plugin/fields.ts'
import {
  DECLARABLE,
  fieldFailure,
  path,
  type Declarable,
  type OperationFacts,
  type Path,
} from '../plugin/path.ts'
import { compilePattern } from '../plugin/pattern.ts'
import type { Plugin, PluginType } from '../plugin/plugin.ts'
import type { RequestBase } from '../plugin/request.ts'
import { readFlag, readResponse } from './answers.ts'
import type { Declared } from './declared.ts'
import type { PluginName } from './failures.ts'
import type { Described } from './messages.ts'
import { actor, externalEffects, externalHooks } from './hooks.ts'
import type { CallStorage } from './process.ts'
import type { Work } from './protocol.ts'
import { sentOf } from './sent-request.ts'

/** Has something done in the plugin's process, and checks what it answers. */
export type Ask = <T>(
  work: Work,
  storage: CallStorage | undefined,
  readAnswer: (value: unknown) => T,
  signal?: AbortSignal,
) => Promise<T>

/** @param version the mount's option of that name */
export function externalInstance(
  plugin: PluginName & { readonly help: string },
  version: string | undefined,
  described: Described,
  ask: Ask,
): Instance {
  const paths = described.paths.map((declared, index) =>
    externalPath(declared, index, version, ask),
  )
  const effects = externalEffects(described, version, ask)
  const made = { paths, effects, ...externalHooks(described, paths, version, ask) }
  return instanceOf(typeOf(plugin, made), version)
}

/** In the place of a plugin that cannot run: whoever may use the mount is told why. */
export function unavailableInstance(plugin: PluginName, why: RequestError): Instance {
  const refuse = (): never => {
    throw why
  }
  const operations = {
    read: refuse,
    list: refuse,
    scan: refuse,
    update: refuse,
    patch: refuse,
    delete: refuse,
    header: refuse,
  }
  const everything = path(':path*', {
    summary: 'This mount cannot be served now',
    // Who comes to log in has no token yet.
    unauthenticated: plugin.kind === 'auth',
    takesAnyField: true,
    fields: { path: string('Any path.') },
    operations,
  })
  const refuseLater = () => Promise.reject(why)
  const broken: Plugin = {
    paths: [everything],
    initialize: refuseLater,
    upgrade: refuseLater,
    periodic: refuseLater,
    renew: refuseLater,
  }
  return { ...instanceOf(typeOf({ ...plugin, help: why.message }, broken), ''), unavailable: why }
}

function typeOf(
  { kind, name, help }: PluginName & { readonly help: string },
  plugin: Plugin,
): PluginType {
  return { type: name, kind, help, create: () => plugin }
}

let sessions = 0

function externalPath(
  declared: Declared,
  index: number,
  version: string | undefined,
  ask: Ask,
): Path {
  const fields = fieldsOf(declared)
  const { patterns, summary, description, tellsCreate, takesAnyField, examples } = declared
  return {
    patterns: patterns.map((text) => compilePattern(text, fields)),
    summary,
    description,
    fields,
    operations: operationsOf(declared),
    tellsCreate,
    takesAnyField,
    clearFields: undefined,
    examples,
    prepare(base: RequestBase, input: JsonObject) {
      const request = sentOf(base)
      const session = ++sessions
      const work = { path: index, session, request, input, version }
      const run = <T>(
        what: 'exists' | 'run',
        operation: RequestBase['operation'],
        to: (value: unknown) => T,
      ) =>
        ask({ ...work, do: what, operation }, base.storage, to).catch((error: unknown) => {
          throw error instanceof FieldError ? fieldFailure(error, declared, base.operation) : error
        })
      return {
        exists: () => run('exists', base.operation, readFlag),
        run: (operation) =>
          run('run', operation, (value) => readResponse(value, actor(version, ask))),
      }
    },
  }
}

/** What was sent is read in the plugin's process; here a field is what others are told of it. */
function fieldsOf(declared: Declared): Fields {
  const fields = Object.entries(declared.fields).map(([name, facts]) => {
    const { defaultValue, pattern } = facts
    return [
      name,
      new Field({ ...facts, defaultValue, pattern, clearInAudit: false }, (input) => input),
    ] as const
  })
  return Object.fromEntries(fields)
}

function operationsOf({ operations }: Declared): Map<Declarable, OperationFacts> {
  const found = new Map<Declarable, OperationFacts>()
  for (const name of DECLARABLE) {
    const facts = operations[name]
    if (facts !== undefined) found.set(name, { ...NO_ACCESS, ...facts })
  }
  return found
}

/** What a plugin of others cannot ask for. */
const NO_ACCESS = {
  takesWrappingToken: false,
  aboutCaller: false,
  aboutGivenToken: false,
  openedBy: '',
  rootOnly: false,
} as const
