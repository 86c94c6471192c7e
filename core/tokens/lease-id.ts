/**
 * Tokens as leases, as clients of `sys/leases` know them: the path that made a token, and its accessor in hex. They have no
 * record of their own, so what lies under a path is found by going through the tokens of the namespace.
 */
import { ROOT } from '../namespaces.ts'
import type { Store } from '../store/store.ts'
import { Transaction } from '../store/transaction.ts'
import { View } from '../store/view.ts'
import { namespaceIdOfAccessor } from './identifier.ts'
import { serviceTokens, tokenKey, tokenPrefix, type ServiceToken } from './record.ts'

/** Tokens that are read at a time. */
const PAGE = 1000
const HEX = /^(?:[0-9a-f]{2})+$/

/** The id of a token's lease; a token that never ends has none. */
export function tokenLeaseId({ path, accessor, namespaceId }: ServiceToken): string {
  const [own = ''] = accessor.split('.')
  const suffix = namespaceId === ROOT.id ? '' : `.${namespaceId}`
  return `${path}/${Buffer.from(own).toString('hex')}${suffix}`
}

/** The accessor that such an id holds. @returns `undefined` where it is none */
export function accessorOfLease(id: string): string | undefined {
  const name = id.slice(id.lastIndexOf('/') + 1)
  const [hex = '', namespaceId] = name.split('.')
  if (!HEX.test(hex)) return undefined
  const own = Buffer.from(hex, 'hex').toString('latin1')
  const accessor = namespaceId === undefined ? own : `${own}.${namespaceId}`
  return namespaceIdOfAccessor(accessor) === undefined ? undefined : accessor
}

/**
 * The names one level below a prefix among the leases of tokens.
 *
 * @param prefix empty, or ending in '/'
 */
export async function listTokenLeases(
  store: Store,
  namespaceId: string,
  prefix: string,
): Promise<Set<string>> {
  const names = new Set<string>()
  let after = ''
  for (;;) {
    // Not the request's own transaction: it would run again with each token that changes meanwhile.
    const root = new View(new Transaction(store), '')
    const accessors = await root.list(tokenPrefix(namespaceId), { after, limit: PAGE })
    for (const accessor of accessors) {
      const token = await root.get(serviceTokens, tokenKey(namespaceId, accessor))
      if (!endsSomeDay(token)) continue
      const id = tokenLeaseId(token)
      if (id.startsWith(prefix)) names.add(firstSegment(id.slice(prefix.length)))
    }
    const last = accessors.at(-1)
    if (last === undefined || accessors.length < PAGE) return names
    after = last
  }
}

function endsSomeDay(token: ServiceToken | undefined): token is ServiceToken {
  return token !== undefined && token.expiresAtMs !== null
}

function firstSegment(text: string): string {
  const slash = text.indexOf('/')
  return slash < 0 ? text : text.slice(0, slash + 1)
}
