/**
 * What a listener answers without a token where its configuration says so. Monitoring, which knows no tokens, is
 * answered so for everybody, whatever token comes, also while the node is sealed, and nothing of it is audited, as in
 * Vault. The ceremonies of key shares go through the pipeline like all else.
 */
import { bare, type DirectEndpoint } from '../../core/direct/endpoint.ts'
import type { OpenedBy } from '../../core/plugin/path.ts'
import { header } from '../../core/request/incoming.ts'
import { showMetrics, type Measured } from '../../engines/system/paths/metrics.ts'
import type { OpenEndpoints } from './config-listener.ts'

export type OpenMonitoring = Pick<OpenEndpoints, 'metrics' | 'inFlightRequests'>

export type Opening = OpenMonitoring & Partial<Pick<OpenEndpoints, 'rekey' | 'generateRoot'>>

/** The ceremonies that need no token at such a listener: there the key shares alone decide. They are audited. */
export function openedSettings(open: Opening | undefined): readonly OpenedBy[] {
  return [
    ...(open?.rekey ? (['disable_unauthed_rekey_endpoints'] as const) : []),
    ...(open?.generateRoot ? (['disable_unauthed_generate_root_endpoints'] as const) : []),
  ]
}

export function openEndpoints(open: OpenMonitoring, measured: Measured): readonly DirectEndpoint[] {
  return [
    ...(open.metrics ? [metricsEndpoint(measured)] : []),
    ...(open.inFlightRequests ? [inFlightEndpoint(measured)] : []),
  ]
}

function metricsEndpoint(measured: Measured): DirectEndpoint {
  return {
    path: 'sys/metrics',
    methods: {
      async GET(node, http) {
        const { status, contentType, body } = await showMetrics(measured, {
          format: http.query.get('format')?.[0] ?? '',
          accept: header(http, 'accept') ?? '',
          nowMs: node.parts.clock.nowMs(),
        })
        return { status, headers: { 'Content-Type': contentType }, body }
      },
    },
  }
}

function inFlightEndpoint({ inFlight }: Measured): DirectEndpoint {
  return {
    path: 'sys/in-flight-req',
    methods: { GET: async () => bare(inFlight.list()) },
  }
}
