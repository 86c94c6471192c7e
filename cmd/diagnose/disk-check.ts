/** The room on the disks that the server writes to. */
import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Check } from './check.ts'
import { failure, ok, skipped, warning, type Finding } from './finding.ts'
import { shownBytes } from './machine.ts'

const LEAST_BYTES = 100e6
const LITTLE_BYTES = 1e9
const LITTLE_SHARE = 0.05
const ADVICE = 'free space, or move it to a larger disk: on a full one nothing can be written'

export const diskCheck: Check = {
  name: 'disk',
  title: 'Disk space',
  async run({ config }) {
    const { storage, audit } = config.running
    const places: [what: string, path: string][] = []
    if (storage.type === 'sqlite') places.push(['the storage', dirname(storage.path)])
    const { auditDirectory } = audit.device
    if (auditDirectory !== undefined) places.push(['audit files', auditDirectory])
    if (places.length === 0) return [skipped('nothing is written to a disk')]
    return (await Promise.all(places.map(([what, path]) => roomOf(what, path)))).flat()
  },
}

async function roomOf(what: string, path: string): Promise<Finding[]> {
  const folder = nearest(path)
  const { bavail, bsize, blocks, files, ffree } = await statfs(folder)
  const free = bavail * bsize
  const said = `${shownBytes(free)} are free for ${what} (${path})`
  const room =
    free < LEAST_BYTES
      ? failure(`only ${said}`, ADVICE)
      : free < LITTLE_BYTES || free < blocks * bsize * LITTLE_SHARE
        ? warning(`only ${said}`, ADVICE)
        : ok(said)
  // File systems without a fixed number of files say 0.
  if (files === 0 || ffree > files * LITTLE_SHARE) return [room]
  return [room, warning(`the disk of ${what} (${path}) has room for ${ffree} files more`, ADVICE)]
}

/** The folder itself, or the first above it that is there. */
function nearest(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearest(dirname(path))
}
