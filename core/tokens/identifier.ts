/** The texts of tokens, and the accessors under which they are stored. */
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

/** Characters of an accessor, before the namespace's part: 142 bits. */
const ACCESSOR_CHARACTERS = 24
/** Tokens in use whose accessors are kept, as long as the record of the key is. */
const MAX_KNOWN = 8192
/** Longer texts are hashed each time: ours are much shorter, and anybody may send such. */
const MAX_KNOWN_CHARACTERS = 256
const known = new WeakMap<object, Generations<string>>()
const one = () => 1

/**
 * hot: the accessor of a service token: HMAC-SHA-256 of the token under the server's own key, written as Vault writes
 * accessors, so that one record of a token is found by either. Whoever knows accessors or reads the storage learns no
 * token, nor can try guesses of one that a user chose.
 *
 * @param namespaceId which `namespaceIdOf` the token names
 */
export async function accessorOf(root: View, token: string, namespaceId: string): Promise<string> {
  const record = await root.get(tokenSalt, TOKEN_SALT_KEY)
  assert(record !== undefined, 'initialisation wrote the token salt')
  let accessors = known.get(record)
  if (accessors === undefined) {
    accessors = new Generations(MAX_KNOWN)
    known.set(record, accessors)
  }
  let accessor = accessors.get(token, one)
  if (accessor === undefined) {
    const alphanumeric = keyedHash(record, record.salt, token).replaceAll(/[-_]/g, '')
    const suffix = namespaceId === ROOT.id ? '' : `.${namespaceId}`
    accessor = `${alphanumeric.slice(0, ACCESSOR_CHARACTERS)}${suffix}`
    if (token.length <= MAX_KNOWN_CHARACTERS) accessors.set(token, accessor, 1)
  }
  return accessor
}

/** Becomes part of a storage key, so nothing else may be in it. */
const NAMESPACE_ID = /^[0-9A-Za-z]{1,32}$/
const ACCESSOR = /^[0-9A-Za-z]{1,32}(?:\.[0-9A-Za-z]{1,32})?$/

/**
 * The namespace that a service token's text names: its last part, or none for the root namespace.
 *
 * @returns `undefined` where no namespace can have that name
 */
export function namespaceIdOf(token: string): string | undefined {
  const rest = token.startsWith(SERVICE_PREFIX) ? token.slice(SERVICE_PREFIX.length) : token
  const dot = rest.indexOf('.')
  if (dot < 0) return ROOT.id
  const id = rest.slice(dot + 1)
  return NAMESPACE_ID.test(id) ? id : undefined
}

/** The same for an accessor. @returns `undefined` where the text can be none */
export function namespaceIdOfAccessor(accessor: string): string | undefined {
  if (!ACCESSOR.test(accessor)) return undefined
  const dot = accessor.indexOf('.')
  return dot < 0 ? ROOT.id : accessor.slice(dot + 1)
}
