/** Renews leases: a new end, counted from now, never past the maximum (contract: http.md, 10.5 and 11). */
import { effectOf, type Undoing } from '../effects/undo.ts'
import { BadRequest } from '../errors.ts'
import { mountPrefix } from '../mounts/record.ts'
import type { MountServices } from '../mounts/services.ts'
import { NOT_LOCAL } from '../plugin/local.ts'
import type { RequestBase } from '../plugin/request.ts'
import { grantedTtl } from '../ttl.ts'
import { isAlive } from './find.ts'
import { endOf } from './issue.ts'
import { putLease, type Lease } from './record.ts'

export interface RenewedLease {
  readonly lease: Lease
  readonly warnings: readonly string[]
}

/** @throws {BadRequest} it may not be renewed */
export async function renewLease(
  request: RequestBase,
  services: MountServices,
  lease: Lease,
  incrementSeconds: number,
): Promise<RenewedLease> {
  const { storage: root, nowMs } = request
  if (!lease.renewable) throw new BadRequest('lease is not renewable')
  if (!(await isAlive({ root, nowMs }, lease))) throw new BadRequest('lease expired')
  const { mount, limits } = await limitsNow(request, services, lease, incrementSeconds)
  const { ttlSeconds, warnings } = grantedTtl(
    {
      ...limits,
      explicitMaxTtlSeconds: 0,
      periodSeconds: 0,
      mountDefaultTtlSeconds: mount.defaultTtlSeconds,
      mountMaxTtlSeconds: mount.maxTtlSeconds,
    },
    { incrementSeconds, issuedAtMs: lease.issuedAtMs, nowMs },
  )
  const expiresAtMs = endOf(nowMs, ttlSeconds, lease.endsAtMs)
  const renewed: Lease = { ...lease, ...limits, expiresAtMs, lastRenewalAtMs: nowMs }
  putLease(root, renewed, lease)
  return { lease: renewed, warnings }
}

/** What the engine says now, which may have to prolong the secret in another system first. */
async function limitsNow(
  request: RequestBase,
  services: MountServices,
  lease: Lease & Undoing,
  incrementSeconds: number,
) {
  const { storage: root } = request
  const { mounted, effect } = await effectOf(root, services, lease)
  if (effect.renew === undefined) throw new BadRequest('lease is not renewable')
  const { mount } = mounted
  const answer = await effect.renew(
    {
      ...request,
      mount,
      storage: root.below(mountPrefix(mount.uuid)),
      clientToken: '',
      local: NOT_LOCAL,
    },
    {
      leaseId: lease.id,
      internal: lease.internal,
      issuedAtMs: lease.issuedAtMs,
      incrementSeconds,
    },
  )
  if ('refused' in answer) throw new BadRequest(answer.refused)
  const { ttlSeconds, maxTtlSeconds } = answer
  return { mount, limits: { ttlSeconds, maxTtlSeconds } }
}
