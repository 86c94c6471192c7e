/** Ends the quotas of what is gone. */
import type { View } from '../store/view.ts'
import { removeLeaseQuotas } from './lease-quotas.ts'
import { removeRateLimits } from './record.ts'
import type { Target } from './target.ts'

/** Of every kind. */
export async function removeQuotas(root: View, isGone: (quota: Target) => boolean): Promise<void> {
  await removeRateLimits(root, isGone)
  await removeLeaseQuotas(root, isGone)
}
