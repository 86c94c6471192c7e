/** What an initialised server begins with: mounts, the default policy, the salt of tokens, the root token. */
import { z } from 'zod'
import { defaultMounts } from './mounts/defaults.ts'
import { putMount } from './mounts/table.ts'
import { ROOT } from './namespaces.ts'
import type { Namespace } from './plugin/request.ts'
import { newPolicy, policyKey, policyRecords } from './policies.ts'
import { DEFAULT_POLICY_TEXT } from './policy/defaults.ts'
import { DEFAULT_POLICY, ROOT_POLICY } from './policy/names.ts'
import { kind } from './store/kind.ts'
import type { Awaitable } from './store/awaitable.ts'
import type { View } from './store/view.ts'
import { issueServiceToken, type IssueContext } from './tokens/issue.ts'
import { TOKEN_SALT_KEY, tokenSalt } from './tokens/record.ts'
import { WIRE_VERSION } from './version.ts'
import { noteRelease } from './version-history.ts'

export type Cluster = z.infer<typeof clusterSchema>
const clusterSchema = z.object({ name: z.string(), id: z.string() }).readonly()
const clusterRecords = kind('cluster', clusterSchema)
const CLUSTER_KEY = 'core/cluster'
/** Bytes of the key under which tokens are hashed. */
const SALT_BYTES = 32

export function readCluster(root: View): Awaitable<Cluster | undefined> {
  return root.get(clusterRecords, CLUSTER_KEY)
}

export interface BootstrapOptions {
  readonly clusterName: string | undefined
  /** The root token's text, where a development server is told one. */
  readonly rootTokenId: string | undefined
}

/** Writes the first records. @returns the root token */
export async function bootstrap(
  context: IssueContext,
  { clusterName, rootTokenId }: BootstrapOptions,
): Promise<string> {
  const { root, random } = context
  root.put(clusterRecords, CLUSTER_KEY, {
    name: clusterName ?? `vault-cluster-${random.bytes(4).toString('hex')}`,
    id: random.uuid(),
  })
  root.put(tokenSalt, TOKEN_SALT_KEY, { salt: random.bytes(SALT_BYTES).toString('base64') })
  await noteRelease(root, WIRE_VERSION, context.nowMs)
  bootstrapNamespace(context, ROOT)
  return issueRootToken(context, { customId: rootTokenId })
}

/** What each namespace begins with. */
export function bootstrapNamespace(
  { root, random, nowMs }: Pick<IssueContext, 'root' | 'random' | 'nowMs'>,
  namespace: Namespace,
): void {
  for (const entry of defaultMounts(random)) putMount(root, namespace.id, entry)
  const policy = newPolicy(DEFAULT_POLICY, DEFAULT_POLICY_TEXT, nowMs)
  root.put(policyRecords, policyKey(namespace.id, DEFAULT_POLICY), policy)
}

/** A token that may do anything and never ends. */
export async function issueRootToken(
  context: IssueContext,
  { namespace = ROOT, customId }: { namespace?: Namespace; customId?: string | undefined } = {},
): Promise<string> {
  const { token } = await issueServiceToken(context, {
    type: 'service',
    namespace,
    policies: [ROOT_POLICY],
    path: 'auth/token/root',
    displayName: 'root',
    meta: null,
    parent: undefined,
    entityId: '',
    boundCidrs: [],
    numUses: 0,
    ttlSeconds: 0,
    maxTtlSeconds: 0,
    explicitMaxTtlSeconds: 0,
    periodSeconds: 0,
    renewable: false,
    noDefaultPolicy: false,
    internal: {},
    mount: { uuid: '', defaultTtlSeconds: 0, maxTtlSeconds: 0 },
    neverExpires: true,
    ...(customId !== undefined && { customId }),
  })
  return token
}
