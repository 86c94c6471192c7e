/** The hooks and effects of an external plugin: they run in its process, like its handlers. */
import { PathTable } from '../plugin/pattern.ts'
import type { EffectType } from '../plugin/effects.ts'
import type { Path } from '../plugin/path.ts'
import type { LoginAttempt, MountContext, Plugin } from '../plugin/plugin.ts'
import type { View } from '../store/view.ts'
import {
  readFlag,
  readName,
  readRenewal,
  readResponse,
  readRole,
  readSecretRenewal,
  readUpgrade,
} from './answers.ts'
import type { Ask } from './instance.ts'
import type { Described } from './messages.ts'
import type { CallStorage } from './process.ts'
import { sentOf } from './sent-request.ts'

const nothing = () => undefined

export function externalHooks(
  { hooks }: Described,
  paths: readonly Path[],
  version: string | undefined,
  ask: Ask,
): Omit<Plugin, 'paths' | 'effects'> {
  const has = new Set(hooks)
  return {
    ...(has.has('initialize') && {
      initialize: ({ storage, nowMs }: MountContext) =>
        ask({ do: 'initialize', nowMs, version }, storage, nothing),
    }),
    ...(has.has('upgrade') && {
      upgrade: ({ storage, nowMs, from }) =>
        ask({ do: 'upgrade', nowMs, from, version }, storage, readUpgrade),
    }),
    ...(has.has('periodic') && {
      periodic: ({ storage, nowMs }) => ask({ do: 'periodic', nowMs, version }, storage, readFlag),
    }),
    ...(has.has('renew') && {
      renew: (request, grant) =>
        ask(
          { do: 'renew', request: sentOf(request), grant, version },
          request.storage,
          readRenewal,
        ),
    }),
    ...(has.has('loginRole') && { loginRole: loginRole(paths, version, ask) }),
  }
}

/** Only a body of what can be a login is read: anybody may send one. */
function loginRole(paths: readonly Path[], version: string | undefined, ask: Ask) {
  const table = new PathTable(paths)
  return async ({ storage, path, readBody }: LoginAttempt): Promise<string | undefined> => {
    const found = table.find(path, { listing: false })?.path.operations.get('update')
    if (found?.unauthenticated !== true) return undefined
    const body = await readBody()
    return ask({ do: 'loginRole', path, body, version }, storage, readRole)
  }
}

/** Has done what an answer announced, and then has its result stored. */
export function actor(version: string | undefined, ask: Ask) {
  return async (act: string, signal: AbortSignal) => {
    const conclude = await ask({ do: 'act', act, version }, undefined, readName, signal)
    return ({ storage, nowMs }: MountContext) =>
      ask({ do: 'conclude', conclude, nowMs, version }, storage, (value) =>
        readResponse(value, actor(version, ask)),
      )
  }
}

export function externalEffects(
  { effects }: Described,
  version: string | undefined,
  ask: Ask,
): Readonly<Record<string, EffectType>> {
  const made = Object.entries(effects).map(
    ([effect, parts]) => [effect, externalEffect(effect, new Set(parts), version, ask)] as const,
  )
  return Object.fromEntries(made)
}

function externalEffect(
  effect: string,
  has: ReadonlySet<keyof EffectType>,
  version: string | undefined,
  ask: Ask,
): EffectType {
  return {
    ...(has.has('undo') && {
      undo: ({ storage, mount, nowMs, signal }, internal) =>
        ask(
          { do: 'undo', effect, internal, mount, nowMs, version },
          readOnly(storage),
          nothing,
          signal,
        ),
    }),
    ...(has.has('renew') && {
      renew: (request, secret) =>
        ask(
          { do: 'renewSecret', effect, request: sentOf(request), secret, version },
          request.storage,
          readSecretRenewal,
        ),
    }),
    ...(has.has('removed') && {
      removed: ({ storage, nowMs }, internal) =>
        ask({ do: 'removed', effect, internal, nowMs, version }, storage, nothing),
    }),
  }
}

/** What is undone outside stores nothing: there is no transaction that would commit. */
function readOnly(storage: Pick<View, 'get' | 'list'>): CallStorage {
  const refuse = () => {
    throw new Error('a plugin wrote where it may only read')
  }
  return {
    get: (kind, key) => storage.get(kind, key),
    list: (prefix, options) => storage.list(prefix, options),
    put: refuse,
    delete: refuse,
  }
}
