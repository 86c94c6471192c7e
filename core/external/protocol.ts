/**
 * What the server and a plugin's process say to each other, as types. What a plugin says is checked in `messages.ts`; a
 * plugin takes the server at its word.
 */
import type { JsonObject } from '../json.ts'
import type { Operation } from '../plugin/path.ts'
import type { RenewedGrant } from '../plugin/plugin.ts'
import type { RenewedSecret } from '../plugin/effects.ts'
import type { Mount, RequestBase } from '../plugin/request.ts'

/** Rises when a message changes its meaning. */
export const PROTOCOL = 1
/** What a plugin says of a failure that is its own: enough of a stack to find the place. */
export const MAX_STACK_CHARACTERS = 4096

/** A request on the wire: all but the token, the storage and the randomness, which the plugin's process has of its own. */
export type SentRequest = Omit<
  RequestBase,
  'storage' | 'random' | 'clientToken' | 'headers' | 'client'
> & {
  readonly headers: readonly (readonly [string, string])[]
  readonly client: {
    readonly address: string
    readonly port: number
    /** DER, in Base64. */
    readonly certificates?: readonly string[] | undefined
  }
}

/** What a plugin is asked to do; `version` is the mount's option of that name. */
export type Work = { readonly version: string | undefined } & (
  | { readonly do: 'describe' }
  | {
      readonly do: 'exists' | 'run'
      /** The same for both calls of one request: what the first one read, the second one knows. */
      readonly session: number
      /** Index of the declared path. */
      readonly path: number
      readonly operation: Operation
      readonly request: SentRequest
      readonly input: JsonObject
    }
  | { readonly do: 'initialize' | 'periodic'; readonly nowMs: number }
  | {
      readonly do: 'upgrade'
      readonly nowMs: number
      readonly from: Readonly<Record<string, string>>
    }
  | { readonly do: 'renew'; readonly request: SentRequest; readonly grant: RenewedGrant }
  | { readonly do: 'loginRole'; readonly path: string; readonly body: JsonObject }
  /** What an earlier answer said that has to be done outside, by the name that it gave it. */
  | { readonly do: 'act'; readonly act: string }
  | { readonly do: 'conclude'; readonly conclude: string; readonly nowMs: number }
  | {
      readonly do: 'undo'
      readonly effect: string
      readonly internal: JsonObject
      readonly mount: Mount
      readonly nowMs: number
    }
  | {
      readonly do: 'removed'
      readonly effect: string
      readonly internal: JsonObject
      readonly nowMs: number
    }
  | {
      readonly do: 'renewSecret'
      readonly effect: string
      readonly request: SentRequest
      readonly secret: RenewedSecret
    }
)

/** From the server. `call` numbers what was asked; `ask` a question about the storage within it. */
export type ToPlugin =
  | {
      readonly say: 'call'
      readonly call: number
      readonly work: Work
      /** Records that it will probably read. */
      readonly known: readonly (readonly [key: string, text: string | null])[]
    }
  | {
      readonly say: 'record'
      readonly call: number
      readonly ask: number
      readonly text: string | null
    }
  | {
      readonly say: 'names'
      readonly call: number
      readonly ask: number
      readonly names: readonly string[]
    }
  | { readonly say: 'refused'; readonly call: number; readonly ask: number }
  /** Nobody waits for it any more. */
  | { readonly say: 'cancel'; readonly call: number }
  | { readonly say: 'ping' }
