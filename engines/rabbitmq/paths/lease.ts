/** `config/lease`: how long users live. */
import { duration } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import { LEASE_KEY, leaseLimits } from '../records.ts'

export const leasePath = path('config/lease', {
  summary: 'How long users live',
  fields: {
    ttl: duration("Until it has to be renewed; 0: the mount's.").default(0),
    max_ttl: duration("After which it cannot be renewed; 0: the mount's.").default(0),
  },
  operations: {
    async read({ storage }) {
      const limits = await storage.get(leaseLimits, LEASE_KEY)
      return limits && { data: { ttl: limits.ttlSeconds, max_ttl: limits.maxTtlSeconds } }
    },
    update({ storage, data }) {
      const limits = { ttlSeconds: data.ttl, maxTtlSeconds: data.max_ttl }
      storage.put(leaseLimits, LEASE_KEY, limits)
    },
  },
})
