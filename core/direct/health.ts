/** `sys/health` for load balancers, `sys/leader` for clients of a cluster with one active node, which this is not. */
import { RequestError } from '../errors.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import type { Node } from '../node.ts'
import { PRODUCT_VERSION, WIRE_VERSION } from '../version.ts'
import { bare, type DirectEndpoint } from './endpoint.ts'

export const healthEndpoint: DirectEndpoint = {
  path: 'sys/health',
  methods: { GET: health, HEAD: health },
}

export const leaderEndpoint: DirectEndpoint = {
  path: 'sys/leader',
  inNamespaces: true,
  methods: { GET: async () => bare({ ha_enabled: false }) },
}

/** Contract: http.md, 14.4. */
async function health(node: Node, http: HttpRequest): Promise<HttpResponse> {
  const codes = {
    active: code(http, 'activecode', 200),
    sealed: code(http, 'sealedcode', 503),
    uninitialized: code(http, 'uninitcode', 501),
  }
  for (const name of ['standbycode', 'performancestandbycode', 'drsecondarycode'])
    code(http, name, 0)
  const { config, sealed, cluster } = await node.sealStatus()
  const initialized = config !== undefined
  const status = !initialized ? codes.uninitialized : sealed ? codes.sealed : codes.active
  const replication = sealed ? 'unknown' : 'disabled'
  const body = {
    initialized,
    sealed,
    standby: sealed,
    replication_performance_mode: replication,
    replication_dr_mode: replication,
    server_time_utc: Math.floor(node.parts.clock.nowMs() / 1000),
    version: WIRE_VERSION,
    keyhold_version: PRODUCT_VERSION,
    ...(cluster !== undefined && { cluster_name: cluster.name, cluster_id: cluster.id }),
  }
  return http.method === 'HEAD' ? { ...bare(body, status), body: '' } : bare(body, status)
}

/** The status that the caller wants for a state. */
function code(http: HttpRequest, name: string, otherwise: number): number {
  const text = http.query.get(name)?.[0]
  if (text === undefined) return otherwise
  if (!/^[1-9]\d\d$/.test(text)) throw new RequestError(400, [])
  return Number(text)
}
