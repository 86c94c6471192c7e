/** `sys/metrics` and `sys/in-flight-req` (contract: sys-auth.md, monitoring). */
import type { KeyStatus } from '../../../core/barrier/barrier.ts'
import { rfc3339 } from '../../../core/clock.ts'
import { BadRequest } from '../../../core/errors.ts'
import type { InFlight } from '../../../core/in-flight.ts'
import type { Gauge, Metrics } from '../../../core/metrics.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'

const fields = { format: string('`prometheus`, or nothing for JSON.').default('').inQuery() }
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8'

/** What is measured of a node. */
export interface Measured {
  readonly metrics: Metrics
  readonly inFlight: InFlight
  /** False: there is no Prometheus text. */
  readonly prometheus: boolean
  /** `cacheBytes`: what the records that are kept in memory cost. `undefined`: the node is sealed. */
  records(): Promise<(KeyStatus & { readonly cacheBytes: number }) | undefined>
}

export interface Shown {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export function metricsPaths(node: Measured) {
  return [
    path('metrics', {
      rootOnly: 'operation unavailable in namespaces',
      summary: 'What is counted of this node',
      fields,
      operations: { read: (request) => read(request, node) },
    }),
    path('in-flight-req', {
      rootOnly: 'operation unavailable in namespaces',
      summary: 'The requests that this node is answering',
      operations: { read: () => ({ bare: node.inFlight.list() }) },
    }),
  ]
}

async function read(
  { data, nowMs, headers }: Request<typeof fields>,
  node: Measured,
): Promise<Response> {
  const accept = headers.get('accept') ?? ''
  const { status, contentType, body } = await showMetrics(node, { ...data, accept, nowMs })
  return { status, raw: { contentType, body }, data: {} }
}

/** @throws {BadRequest} there is no such format */
export async function showMetrics(
  node: Measured,
  { format, accept, nowMs }: { format: string; accept: string; nowMs: number },
): Promise<Shown> {
  switch (format || accepted(accept)) {
    case 'prometheus':
      return node.prometheus ? asText(node) : NOT_ENABLED
    case '':
      return asJson(node, nowMs)
    default:
      throw new BadRequest(
        'metric response format cannot be recognised; it is "prometheus", or left out',
      )
  }
}

function accepted(accept: string): 'prometheus' | '' {
  return accept.includes('text/plain') || accept.includes('openmetrics') ? 'prometheus' : ''
}

const NOT_ENABLED: Shown = {
  status: 400,
  contentType: 'text/plain',
  body: 'prometheus is not enabled; set prometheus_retention_time in the configuration above 0',
}

async function asText(node: Measured): Promise<Shown> {
  const body = node.metrics.prometheus(await gaugesNow(node))
  return { status: 200, contentType: PROMETHEUS, body }
}

async function asJson(node: Measured, nowMs: number): Promise<Shown> {
  const summary = node.metrics.json(await gaugesNow(node), rfc3339(nowMs))
  return { status: 200, contentType: 'application/json', body: `${JSON.stringify(summary)}\n` }
}

/** The seal is no gauge: who watches it asks `sys/health`. */
async function gaugesNow(node: Measured): Promise<Gauge[]> {
  const memory = process.memoryUsage()
  const loop = performance.eventLoopUtilization()
  return [
    { name: 'requests_in_flight', help: 'Requests being answered.', value: node.inFlight.count },
    ...(await recordGauges(node)),
    {
      name: 'event_loop_active_seconds',
      help: 'Time in which the process worked.',
      value: loop.active / 1000,
    },
    {
      name: 'event_loop_idle_seconds',
      help: 'Time in which the process waited for work.',
      value: loop.idle / 1000,
    },
    { name: 'memory_resident_bytes', help: 'Resident memory of the process.', value: memory.rss },
    { name: 'memory_heap_bytes', help: 'Used heap of the process.', value: memory.heapUsed },
    { name: 'uptime_seconds', help: 'Seconds since the process began.', value: process.uptime() },
  ]
}

/** A sealed node has none. */
async function recordGauges(node: Measured): Promise<Gauge[]> {
  const records = await node.records()
  if (records === undefined) return []
  const { term, encryptions, cacheBytes } = records
  return [
    { name: 'barrier_term', help: 'Term of the key that seals new records.', value: term },
    { name: 'barrier_encryptions', help: 'Records that this term has sealed.', value: encryptions },
    { name: 'record_cache_bytes', help: 'Records kept in memory, at most.', value: cacheBytes },
  ]
}
