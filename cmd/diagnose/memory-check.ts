/** Memory: of the machine, and of the container, which may have less. */
import type { Check } from './check.ts'
import { failure, ok, warning, type Finding } from './finding.ts'
import { shownBytes, type Machine } from './machine.ts'

/** What a server takes at rest, with its commit thread, and with some room for requests. */
const LEAST_BYTES = 192e6
const LITTLE_BYTES = 512e6
const LITTLE_FREE_BYTES = 100e6

export const memoryCheck: Check = {
  name: 'memory',
  title: 'Memory',
  async run({ machine }) {
    const limit = await containerLimit(machine)
    const total = Math.min(machine.totalMemoryBytes, limit ?? Infinity)
    return [judge(total, limit !== undefined), ...freeFindings(machine)]
  },
}

function judge(total: number, isContainer: boolean): Finding {
  const whose = isContainer ? 'this container may use' : 'this machine has'
  const said = `${whose} ${shownBytes(total)} of memory`
  const advice = 'give it 512 MB or more: a server that runs out of memory is killed'
  if (total < LEAST_BYTES) return failure(said, advice)
  return total < LITTLE_BYTES ? warning(said, advice) : ok(said)
}

function freeFindings({ freeMemoryBytes }: Machine): Finding[] {
  if (freeMemoryBytes >= LITTLE_FREE_BYTES) return []
  const said = `only ${shownBytes(freeMemoryBytes)} of memory are free at the moment`
  return [warning(said, 'look what else runs here; secrets servers are best alone')]
}

/** Of the second version of control groups, then of the first. */
async function containerLimit(machine: Machine): Promise<number | undefined> {
  for (const path of ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']) {
    const text = (await machine.readText(path))?.trim() ?? ''
    const bytes = Number(text)
    // Without a limit: `max`, or a number beyond any machine.
    if (/^\d+$/.test(text) && bytes < machine.totalMemoryBytes) return bytes
  }
  return undefined
}
