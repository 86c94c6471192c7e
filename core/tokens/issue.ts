/** Makes tokens: in the transaction of the request that grants them, with their expiry and place in the tree. */
import { assert, BadRequest } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { ROOT } from '../namespaces.ts'
import type { Mount, Namespace } from '../plugin/request.ts'
import type { Random } from '../random.ts'
import type { View } from '../store/view.ts'
import { grantedTtl, type Ttl } from '../ttl.ts'
import type { BatchCodec } from './batch.ts'
import { accessorOf, SERVICE_PREFIX } from './identifier.ts'
import { noteBatchToken, readRecalls } from './recalls.ts'
import {
  childKey,
  childRecords,
  expiryKey,
  expiryRecords,
  serviceTokens,
  tokenKey,
  type ServiceToken,
  type TokenRecord,
} from './record.ts'

/** Random characters of a token: 142 bits. */
const TOKEN_CHARACTERS = 24
/** Characters of a service token of the root namespace. */
export const ROOT_TOKEN_CHARACTERS = SERVICE_PREFIX.length + TOKEN_CHARACTERS

/** What a token is to be. */
export interface TokenSpec {
  readonly type: 'service' | 'batch'
  readonly namespace: Namespace
  readonly policies: readonly string[]
  readonly path: string
  readonly displayName: string
  readonly meta: Readonly<Record<string, string>> | null
  /** `undefined`: an orphan. */
  readonly parent: { readonly accessor: string; readonly namespaceId: string } | undefined
  readonly entityId: string
  readonly boundCidrs: readonly string[]
  readonly numUses: number
  readonly ttlSeconds: number
  readonly maxTtlSeconds: number
  readonly explicitMaxTtlSeconds: number
  readonly periodSeconds: number
  readonly renewable: boolean
  readonly noDefaultPolicy: boolean
  readonly role?: string
  readonly internal: JsonObject
  /** Whose limits apply, and who is asked at renewal. */
  readonly mount: Pick<Mount, 'uuid' | 'defaultTtlSeconds' | 'maxTtlSeconds'>
  /** The token's own text, where the client chose it. */
  readonly customId?: string
  /** A root token's: it never ends. */
  readonly neverExpires?: boolean
}

export interface Issued {
  readonly token: string
  readonly record: TokenRecord
  readonly warnings: readonly string[]
}

export interface IssueContext {
  readonly root: View
  readonly nowMs: number
  readonly random: Random
  readonly batch: BatchCodec
}

export async function issueToken(context: IssueContext, spec: TokenSpec): Promise<Issued> {
  const { ttlSeconds, warnings } = ttlOf(context, spec)
  const { token, record } =
    spec.type === 'batch'
      ? await makeBatch(context, spec, ttlSeconds)
      : await makeService(context, spec, ttlSeconds)
  return { token, record, warnings }
}

/** As `issueToken`, for a token that is stored. */
export async function issueServiceToken(
  context: IssueContext,
  spec: TokenSpec & { readonly type: 'service' },
): Promise<{ token: string; record: ServiceToken; warnings: readonly string[] }> {
  const { ttlSeconds, warnings } = ttlOf(context, spec)
  return { ...(await makeService(context, spec, ttlSeconds)), warnings }
}

function ttlOf(context: IssueContext, spec: TokenSpec): Ttl {
  return spec.neverExpires
    ? { ttlSeconds: 0, warnings: [] }
    : grantedTtl(
        {
          ttlSeconds: spec.ttlSeconds,
          maxTtlSeconds: spec.maxTtlSeconds,
          explicitMaxTtlSeconds: spec.explicitMaxTtlSeconds,
          periodSeconds: spec.periodSeconds,
          mountDefaultTtlSeconds: spec.mount.defaultTtlSeconds,
          mountMaxTtlSeconds: spec.mount.maxTtlSeconds,
        },
        { incrementSeconds: 0, issuedAtMs: context.nowMs, nowMs: context.nowMs },
      )
}

async function makeBatch(context: IssueContext, spec: TokenSpec, ttlSeconds: number) {
  assert(!spec.neverExpires, 'a batch token ends')
  const { uuid: mountUuid } = spec.mount
  const granted = await common(context, spec, ttlSeconds)
  const record = { ...granted, type: 'batch' as const, mountUuid }
  if (record.expiresAtMs !== null) await noteBatchToken(context.root, record.expiresAtMs)
  return { token: await context.batch.encode(record), record }
}

async function makeService(context: IssueContext, spec: TokenSpec, ttlSeconds: number) {
  const suffix = spec.namespace.id === ROOT.id ? '' : `.${spec.namespace.id}`
  const { root, random } = context
  const token = spec.customId ?? `${SERVICE_PREFIX}${random.base62(TOKEN_CHARACTERS)}${suffix}`
  const accessor = await accessorOf(root, token, spec.namespace.id)
  if (spec.customId !== undefined && (await root.get(serviceTokens, tokenKey(ROOT.id, accessor)))) {
    throw new BadRequest('cannot create a token with a duplicate ID')
  }
  const record: ServiceToken = {
    ...(await common(context, spec, ttlSeconds)),
    type: 'service',
    accessor,
    numUses: spec.numUses,
    maxTtlSeconds: spec.maxTtlSeconds,
    explicitMaxTtlSeconds: spec.explicitMaxTtlSeconds,
    periodSeconds: spec.periodSeconds,
    renewable: spec.renewable,
    lastRenewalAtMs: null,
    mountUuid: spec.mount.uuid,
    internal: spec.internal,
  }
  storeToken(root, record)
  return { token, record }
}

function storeToken(root: View, record: ServiceToken): void {
  const { accessor, namespaceId, parent } = record
  root.put(serviceTokens, tokenKey(namespaceId, accessor), record)
  if (parent !== '') root.put(childRecords, childKey(parent, accessor), { namespaceId })
  if (record.expiresAtMs !== null) {
    root.put(expiryRecords, expiryKey(record.expiresAtMs, accessor), { namespaceId, accessor })
  }
}

async function common({ root, nowMs }: IssueContext, spec: TokenSpec, ttlSeconds: number) {
  const { epoch } = await readRecalls(root)
  return {
    namespaceId: spec.namespace.id,
    policies: spec.policies,
    path: spec.path,
    displayName: spec.displayName,
    meta: spec.meta,
    parent: spec.parent?.accessor ?? '',
    parentNamespaceId: spec.parent?.namespaceId ?? '',
    entityId: spec.entityId,
    boundCidrs: spec.boundCidrs,
    createdAtMs: nowMs,
    ttlSeconds,
    expiresAtMs: ttlSeconds === 0 ? null : nowMs + ttlSeconds * 1000,
    noDefaultPolicy: spec.noDefaultPolicy,
    role: spec.role,
    ...(epoch > 0 && { epoch }),
  }
}
