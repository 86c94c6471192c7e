/** What `sys/metrics` and `sys/in-flight-req` show of a node. */
import type { Node } from '../../core/node.ts'
import type { Measured } from '../../engines/system/paths/metrics.ts'

/** @param prometheus whether the metrics are shown as Prometheus text too */
export function measuredOf(node: Node, { prometheus }: { prometheus: boolean }): Measured {
  return {
    prometheus,
    metrics: node.metrics,
    inFlight: node.inFlight,
    async records() {
      if (node.isSealed) return undefined
      const { cache } = node.unsealed.store
      return { ...(await node.barrier.keyStatus()), cacheBytes: cache.bytes }
    },
  }
}
