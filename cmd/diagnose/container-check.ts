/** Whether this is a container, and what that means for who reads the rest. */
import type { Check } from './check.ts'
import { ok } from './finding.ts'
import type { Machine } from './machine.ts'

export const containerCheck: Check = {
  name: 'container',
  title: 'Container',
  async run({ machine }) {
    return (await isContainer(machine))
      ? [
          ok(
            'this is a container: clock, swap and core dumps are those of its host, to be looked at there',
          ),
        ]
      : [ok('this is no container')]
  },
}

async function isContainer(machine: Machine): Promise<boolean> {
  for (const mark of ['/.dockerenv', '/run/.containerenv', '/run/systemd/container']) {
    if ((await machine.readText(mark)) !== undefined) return true
  }
  const groups = (await machine.readText('/proc/1/cgroup')) ?? ''
  return /docker|kubepods|containerd|lxc/.test(groups)
}
