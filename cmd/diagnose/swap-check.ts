/** Swap: Node cannot lock its memory, so the keys of an open server may be written there. */
import { realpathSync } from 'node:fs'
import { basename } from 'node:path'
import type { Check } from './check.ts'
import { ok, skipped, warning, type Finding } from './finding.ts'
import type { Machine } from './machine.ts'
import { runningPid } from './running-pid.ts'

const ADVICE =
  'turn swap off (swapoff -a, and its line in /etc/fstab), encrypt it, or in the unit of the server write MemorySwapMax=0'

export const swapCheck: Check = {
  name: 'swap',
  title: 'Swap',
  async run({ machine, config }) {
    const table = await machine.readText('/proc/swaps')
    if (table === undefined) return [skipped('this system does not say whether there is swap')]
    const devices = table
      .split('\n')
      .slice(1)
      .map((line) => line.split(/\s+/)[0] ?? '')
      .filter((device) => device !== '')
    if (devices.length === 0) return [ok('there is no swap')]
    if (await swapsNothing(machine, config.pidFile)) {
      return [ok('there is swap, and the running server may use none of it (memory.swap.max is 0)')]
    }
    return Promise.all(devices.map((device) => judge(device, machine)))
  },
}

/** Whether its control group says so, as systemd writes MemorySwapMax there. */
async function swapsNothing(machine: Machine, pidFile: string | undefined): Promise<boolean> {
  const pid = await runningPid(machine, pidFile)
  const groups = pid === undefined ? undefined : await machine.readText(`/proc/${pid}/cgroup`)
  const [, group] = /^0::(\/.*)$/m.exec(groups ?? '') ?? []
  if (group === undefined) return false
  return (await machine.readText(`/sys/fs/cgroup${group}/memory.swap.max`))?.trim() === '0'
}

async function judge(device: string, machine: Machine): Promise<Finding> {
  const name = basename(real(device))
  if (name.startsWith('zram')) return ok(`swap on ${device} is memory that is compressed`)
  const mapped = await machine.readText(`/sys/block/${name}/dm/uuid`)
  if (mapped?.startsWith('CRYPT-') === true) return ok(`swap on ${device} is encrypted`)
  return warning(
    `there is swap on ${device}, and it does not look encrypted: keys may be written to it`,
    ADVICE,
  )
}

function real(device: string): string {
  try {
    return realpathSync(device)
  } catch {
    return device
  }
}
