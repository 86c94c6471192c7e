/** The texts of tokens, and the identifiers under which they are stored. */
import { assert } from '../errors.ts'
import { keyedHash } from '../keyed-hash.ts'
import { ROOT } from '../namespaces.ts'
import { Generations } from '../store/generations.ts'
import type { View } from '../store/view.ts'
import { TOKEN_SALT_KEY, tokenSalt } from './record.ts'

/** Scanners know tokens by these. */
export const SERVICE_PREFIX = 'hvs.'
export const BATCH_PREFIX = 'hvb.'
/** What other servers and releases put before theirs; a token of the user's choice must not look like one. */
export const RESERVED_PREFIXES = ['hvs.', 'hvb.', 'hvr.', 's.', 'b.', 'r.'] as const
/** Longer ones are refused unread. */
export const MAX_TOKEN_CHARACTERS = 8192

/** Tokens in use whose identifiers are kept, as long as the record of the key is. */
const MAX_KNOWN = 8192
const known = new WeakMap<object, Generations<string>>()
const one = () => 1

/**
 * hot: HMAC-SHA-256 of the token under the server's own key. Whoever reads the storage learns no token, nor can try
 * guesses of one that a user chose.
 */
export async function tokenId(root: View, token: string): Promise<string> {
  const record = await root.get(tokenSalt, TOKEN_SALT_KEY)
  assert(record !== undefined, 'initialisation wrote the token salt')
  let ids = known.get(record)
  if (ids === undefined) {
    ids = new Generations(MAX_KNOWN)
    known.set(record, ids)
  }
  let id = ids.get(token, one)
  if (id === undefined) {
    id = keyedHash(record, record.salt, token)
    ids.set(token, id, 1)
  }
  return id
}

/** The namespace that a service token's text names: its last part, or none for the root namespace. */
export function namespaceIdOf(token: string): string {
  const rest = token.startsWith(SERVICE_PREFIX) ? token.slice(SERVICE_PREFIX.length) : token
  const dot = rest.indexOf('.')
  return dot < 0 ? ROOT.id : rest.slice(dot + 1)
}

/** The same for an accessor. */
export function namespaceIdOfAccessor(accessor: string): string {
  const dot = accessor.indexOf('.')
  return dot < 0 ? ROOT.id : accessor.slice(dot + 1)
}
