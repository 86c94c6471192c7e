/**
 * Goes through the stored tokens of some namespaces in pieces: each looks at so many records at the most and says where
 * the next one begins. In the order of accessors, or, where the filter bounds when tokens end, in the order of that:
 * the index by time leaves the others out.
 */
import { BadRequest, type CorruptRecord } from '../errors.ts'
import { isInSpan, NAMESPACES_PREFIX, ROOT, type NamespaceSpan } from '../namespaces.ts'
import type { Awaitable } from '../store/awaitable.ts'
import type { View } from '../store/view.ts'
import { matchesFilter, type TokenFilter } from './filter.ts'
import { findStored } from './find.ts'
import { namespaceIdOfAccessor } from './identifier.ts'
import { EXPIRY_PREFIX, expiryKey, expiryTimeMs, tokenPrefix, type ServiceToken } from './record.ts'
import { readable } from './revoke.ts'

export interface TokenScan {
  readonly span: NamespaceSpan
  readonly filter: TokenFilter
  /** `next` of the piece before; empty: from the beginning. */
  readonly after: string
  readonly maxExamined: number
  readonly maxFound: number
  /** Of those that match; default: all of them are meant. */
  readonly accept?: (record: ServiceToken) => Awaitable<boolean>
  /** Told of records that cannot be read; they are left out. */
  readonly report: (error: CorruptRecord) => void
}

export interface ScannedPiece {
  readonly found: readonly ServiceToken[]
  readonly examined: number
  /** Empty: there is no more. */
  readonly next: string
}

/** A place on the way. Without an accessor nothing lies there: a namespace begins. */
interface Place {
  readonly cursor: string
  readonly namespaceId: string
  readonly accessor: string
}

/** Names that are fetched at once. */
const NAMES = 200
const ACCESSOR_CURSOR = /^([0-9A-Za-z]{1,32})\/([0-9A-Za-z]*(?:\.[0-9A-Za-z]+)?)$/
const EXPIRY_CURSOR = /^\d{14}\.[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)?$/

/** @throws {BadRequest} `after` is from no scan of this order */
export async function scanTokens(root: View, scan: TokenScan): Promise<ScannedPiece> {
  const { filter, accept = () => true } = scan
  const found: ServiceToken[] = []
  let examined = 0
  let cursor = scan.after
  for await (const { namespaceId, accessor, cursor: here } of placesOf(root, scan)) {
    if (examined >= scan.maxExamined || found.length >= scan.maxFound) {
      return { found, examined, next: cursor }
    }
    examined++
    cursor = here
    if (accessor === '') continue
    const record = await readable(scan.report, () => findStored({ root }, namespaceId, accessor))
    if (record !== undefined && matchesFilter(filter, record) && (await accept(record))) {
      found.push(record)
    }
  }
  return { found, examined, next: '' }
}

function placesOf(root: View, { filter, span, after }: TokenScan): AsyncGenerator<Place> {
  const byEnd = filter.expiresAfterMs !== undefined || filter.expiresBeforeMs !== undefined
  const fits = (byEnd ? EXPIRY_CURSOR : ACCESSOR_CURSOR).test(after)
  if (after !== '' && !fits) {
    throw new BadRequest(
      "'after' is not from an earlier answer to the same filters; leave it out to begin anew",
    )
  }
  return byEnd ? inOrderOfEnd(root, filter, span, after) : inOrderOfAccessor(root, span, after)
}

async function* inOrderOfAccessor(
  root: View,
  span: NamespaceSpan,
  after: string,
): AsyncGenerator<Place> {
  const [, from = '', last = ''] = ACCESSOR_CURSOR.exec(after) ?? []
  for await (const namespaceId of namespacesOf(root, span, from)) {
    const start = namespaceId === from ? last : ''
    yield { cursor: `${namespaceId}/${start}`, namespaceId, accessor: '' }
    if (!(await isInSpan(root, span, namespaceId))) continue
    for await (const accessor of namesIn(root, tokenPrefix(namespaceId), start)) {
      yield { cursor: `${namespaceId}/${accessor}`, namespaceId, accessor }
    }
  }
}

/** Those that may be in the span, the root one first. @param from with this one; empty: with the first */
async function* namespacesOf(
  root: View,
  { namespaceId, recursive }: NamespaceSpan,
  from: string,
): AsyncGenerator<string> {
  if (!recursive) {
    yield namespaceId
    return
  }
  const inRoot = from === '' || from === ROOT.id
  yield inRoot ? ROOT.id : from
  yield* namesIn(root, NAMESPACES_PREFIX, inRoot ? '' : from)
}

async function* inOrderOfEnd(
  root: View,
  { expiresAfterMs = -1, expiresBeforeMs = Infinity }: TokenFilter,
  span: NamespaceSpan,
  after: string,
): AsyncGenerator<Place> {
  const start = after || expiryKey(Math.max(0, expiresAfterMs), '').slice(EXPIRY_PREFIX.length)
  for await (const name of namesIn(root, EXPIRY_PREFIX, start)) {
    if (expiryTimeMs(name) >= expiresBeforeMs) return
    const accessor = name.slice(name.indexOf('.') + 1)
    const namespaceId = namespaceIdOfAccessor(accessor) ?? ''
    const isMeant = await isInSpan(root, span, namespaceId)
    yield { cursor: name, namespaceId, accessor: isMeant ? accessor : '' }
  }
}

async function* namesIn(root: View, prefix: string, start: string): AsyncGenerator<string> {
  for (let after = start; ;) {
    const names = await root.list(prefix, { after, limit: NAMES })
    yield* names
    if (names.length < NAMES) return
    after = names.at(-1) ?? ''
  }
}
