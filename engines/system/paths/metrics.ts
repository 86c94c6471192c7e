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
  keyStatus(): Promise<KeyStatus>
  /** What the records that are kept in memory cost. */
  cacheBytes(): number
}

export function metricsPaths(node: Measured) {
  return [
    path('metrics', {
      rootOnly: true,
      summary: 'What is counted of this node',
      fields,
      operations: { read: (request) => answer(request, node) },
    }),
    path('in-flight-req', {
      rootOnly: true,
      summary: 'The requests that this node is answering',
      operations: { read: () => ({ bare: node.inFlight.list() }) },
    }),
  ]
}

async function answer(
  { data, nowMs, headers }: Request<typeof fields>,
  node: Measured,
): Promise<Response> {
  const { metrics } = node
  const accepts = headers.get('accept') ?? ''
  const gauges = await gaugesNow(node)
  switch (data.format) {
    case 'prometheus':
      return { raw: { contentType: PROMETHEUS, body: metrics.prometheus(gauges) }, data: {} }
    case '':
      return accepts.includes('text/plain') || accepts.includes('openmetrics')
        ? { raw: { contentType: PROMETHEUS, body: metrics.prometheus(gauges) }, data: {} }
        : json(metrics.json(gauges, rfc3339(nowMs)))
    default:
      throw new BadRequest(
        'metric response format cannot be recognised; it is "prometheus", or left out',
      )
  }
}

function json(body: Record<string, unknown>): Response {
  return { raw: { contentType: 'application/json', body: `${JSON.stringify(body)}\n` }, data: {} }
}

/** Only an unsealed node gets here, so the seal is no gauge: who watches it asks `sys/health`. */
async function gaugesNow({ inFlight, keyStatus, cacheBytes }: Measured): Promise<Gauge[]> {
  const memory = process.memoryUsage()
  const loop = performance.eventLoopUtilization()
  const { term, encryptions } = await keyStatus()
  return [
    { name: 'requests_in_flight', help: 'Requests being answered.', value: inFlight.count },
    { name: 'barrier_term', help: 'Term of the key that seals new records.', value: term },
    { name: 'barrier_encryptions', help: 'Records that this term has sealed.', value: encryptions },
    { name: 'record_cache_bytes', help: 'Records kept in memory, at most.', value: cacheBytes() },
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
