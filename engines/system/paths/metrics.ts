/** `sys/metrics` and `sys/in-flight-req` (contract: sys-auth.md, monitoring). */
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

export function metricsPaths(metrics: Metrics, inFlight: InFlight) {
  return [
    path('metrics', {
      rootOnly: true,
      summary: 'What is counted of this node',
      fields,
      operations: { read: (request) => answer(request, metrics, inFlight) },
    }),
    path('in-flight-req', {
      rootOnly: true,
      summary: 'The requests that this node is answering',
      operations: { read: () => ({ bare: inFlight.list() }) },
    }),
  ]
}

function answer(
  { data, nowMs, headers }: Request<typeof fields>,
  metrics: Metrics,
  inFlight: InFlight,
): Response {
  const accepts = headers.get('accept') ?? ''
  const gauges = gaugesNow(inFlight)
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

function gaugesNow(inFlight: InFlight): Gauge[] {
  const memory = process.memoryUsage()
  return [
    { name: 'requests_in_flight', help: 'Requests being answered.', value: inFlight.count },
    { name: 'memory_resident_bytes', help: 'Resident memory of the process.', value: memory.rss },
    { name: 'memory_heap_bytes', help: 'Used heap of the process.', value: memory.heapUsed },
    { name: 'uptime_seconds', help: 'Seconds since the process began.', value: process.uptime() },
  ]
}
