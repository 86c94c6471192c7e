/** `sys/seal-status` and `sys/unseal`. */
import { z } from 'zod'
import { BadRequest } from '../errors.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import type { Node } from '../node.ts'
import { PRODUCT_VERSION, WIRE_VERSION } from '../version.ts'
import { bare, readStrict, type DirectEndpoint } from './endpoint.ts'

const unsealBody = z.object({
  key: z.string().default(''),
  reset: z.boolean().default(false),
  migrate: z.boolean().default(false),
})

export const sealStatusEndpoint: DirectEndpoint = {
  path: 'sys/seal-status',
  inNamespaces: true,
  methods: { GET: sealStatus },
}

export const unsealEndpoint: DirectEndpoint = {
  path: 'sys/unseal',
  methods: { POST: unseal, PUT: unseal },
}

async function unseal(node: Node, http: HttpRequest): Promise<HttpResponse> {
  const { key, reset } = readStrict(http, node.parts.limits, unsealBody, 'UnsealRequest')
  if (reset) node.resetUnseal()
  else if (key === '') {
    throw new BadRequest("'key' must be specified in request body as JSON, or 'reset' set to true")
  } else await node.provideShare(key)
  return sealStatus(node)
}

async function sealStatus(node: Node): Promise<HttpResponse> {
  const { config, sealed, progress, nonce, cluster } = await node.sealStatus()
  return bare({
    type: config?.type ?? node.parts.seal.type,
    initialized: config !== undefined,
    sealed,
    t: config?.threshold ?? 0,
    n: config?.shares ?? 0,
    progress,
    nonce,
    recovery_seal: false,
    version: WIRE_VERSION,
    keyhold_version: PRODUCT_VERSION,
    commit_date: '',
    migration: false,
    ...(cluster !== undefined && { cluster_name: cluster.name, cluster_id: cluster.id }),
    storage_type: node.parts.storageType,
  })
}
