/** The clock: tokens, leases and policies end by it, and certificates are judged by it. */
import { statSync } from 'node:fs'
import type { Check, Subject } from './check.ts'
import { failure, ok, warning, type Finding } from './finding.ts'
import type { Machine } from './machine.ts'

/** By so much a file may be newer than the clock: file systems round, and others may have a clock of their own. */
const MAX_AHEAD_MS = 60_000

export const clockCheck: Check = {
  name: 'clock',
  title: 'Clock',
  async run(subject) {
    return [againstFiles(subject), await synchronised(subject.machine)]
  },
}

function againstFiles({ config, configPaths, machine: { nowMs } }: Subject): Finding {
  const { storage } = config.running
  const ofStorage = storage.type === 'sqlite' ? [storage.path, `${storage.path}-wal`] : []
  for (const path of [...ofStorage, ...configPaths, import.meta.filename]) {
    const stats = statSync(path, { throwIfNoEntry: false })
    const aheadMs = (stats?.mtimeMs ?? 0) - nowMs
    if (aheadMs > MAX_AHEAD_MS) {
      return failure(
        `${path} was written ${Math.round(aheadMs / 1000)} s in the future of this clock`,
        'set the clock before the server starts: what has ended would live again',
      )
    }
  }
  return ok(`it is ${new Date(nowMs).toISOString()} by this clock, and no file is newer`)
}

const SYNCHRONISED = ok('the clock is kept right over the network')
const NOT_SYNCHRONISED = warning(
  'the clock is not kept right over the network',
  'turn that on, such as by: timedatectl set-ntp true',
)

/** By what this machine has: systemd says it in a file or by a program, chrony by its own. */
async function synchronised(machine: Machine): Promise<Finding> {
  if ((await machine.readText('/run/systemd/timesync/synchronized')) !== undefined) {
    return SYNCHRONISED
  }
  const systemd = await machine.ask('timedatectl', ['show', '--property=NTPSynchronized'])
  if (systemd?.includes('=yes') === true) return SYNCHRONISED
  const chrony = await machine.ask('chronyc', ['-n', 'tracking'])
  if (chrony !== undefined) {
    return /^Leap status\s*:\s*Normal/m.test(chrony) ? SYNCHRONISED : NOT_SYNCHRONISED
  }
  if (systemd?.includes('=no') === true) return NOT_SYNCHRONISED
  return warning(
    'whether the clock is kept right over the network is not known: neither timedatectl nor chronyc says it',
    'make sure that it is; in a container, the clock is that of its host',
  )
}
