/** The end of ceremonies that nobody has touched for a day: what was gathered goes from the storage too. */
import type { View } from '../store/view.ts'
import { DRILL_KEY, isOver as isDrillOver } from './drill.ts'
import { isOver as isRootAttemptOver, GENERATE_ROOT_KEY } from './generate-root.ts'
import { isOver as isRekeyOver, REKEY_KEY } from './rekey.ts'

/** A step of the timed duties. @returns that there is no more to do */
export async function removeEndedCeremonies(root: View, nowMs: number): Promise<false> {
  const moment = { root, nowMs }
  if (await isRootAttemptOver(moment)) root.delete(GENERATE_ROOT_KEY)
  if (await isRekeyOver(moment)) root.delete(REKEY_KEY)
  if (await isDrillOver(moment)) root.delete(DRILL_KEY)
  return false
}
