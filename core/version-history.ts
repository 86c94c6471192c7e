/** The releases that ran over this storage, each with when it was first seen. */
import { z } from 'zod'
import { kind } from './store/kind.ts'
import type { View } from './store/view.ts'

const releaseList = z
  .array(z.object({ version: z.string(), firstSeenAtMs: z.number() }).readonly())
  .readonly()
const releaseRecords = kind('releases', releaseList)
const RELEASES_KEY = 'core/releases'

/** All of them, in order; the given one joins if it is new. */
export async function noteRelease(
  root: View,
  version: string,
  nowMs: number,
): Promise<z.infer<typeof releaseList>> {
  const known = (await root.get(releaseRecords, RELEASES_KEY)) ?? []
  if (known.some((release) => release.version === version)) return known
  const noted = [...known, { version, firstSeenAtMs: nowMs }]
  root.put(releaseRecords, RELEASES_KEY, noted)
  return noted
}
