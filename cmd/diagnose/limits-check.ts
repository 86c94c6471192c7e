/** Limits of processes: core dumps, which hold the keys, and open files, of which each connection is one. */
import type { Check } from './check.ts'
import { failure, ok, skipped, warning, type Finding } from './finding.ts'
import type { Machine } from './machine.ts'
import { runningPid } from './running-pid.ts'

/** Files and threads of the server itself, before any connection. */
const OWN_FILES = 100
const FEW_FILES = 4096

export const coreCheck: Check = {
  name: 'core-dumps',
  title: 'Core dumps',
  async run({ machine, config }) {
    const limits = await limitsOf(machine, config.pidFile)
    const pattern = (await machine.readText('/proc/sys/kernel/core_pattern'))?.trim()
    const soft = limits?.soft('Max core file size')
    if (limits === undefined || soft === undefined || pattern === undefined) {
      return [skipped('this system does not say what becomes of core dumps')]
    }
    return [judgeCore(soft, pattern, limits.whose)]
  },
}

/** What is piped to a program has no limit but that of the program; systemd's keeps to it (core(5), systemd-coredump(8)). */
function judgeCore(soft: number, pattern: string, whose: string): Finding {
  const isPiped = pattern.startsWith('|')
  const isKept = soft > 0 || (isPiped && !pattern.includes('systemd-coredump'))
  if (!isKept) return ok(`no core dump is written (limit 0 of ${whose})`)
  const to = isPiped ? `handed to ${pattern.slice(1).split(' ')[0] ?? ''}` : 'written to a file'
  return warning(
    `where ${whose} crashes, its memory, with the keys of an open server, is ${to}`,
    isPiped && soft === 0
      ? 'have that program keep none of this server, or set kernel.core_pattern to a file'
      : 'in the unit of the server write LimitCORE=0, or start it with: ulimit -c 0',
  )
}

export const filesCheck: Check = {
  name: 'open-files',
  title: 'Open files',
  async run({ machine, config }) {
    const limits = await limitsOf(machine, config.pidFile)
    const soft = limits?.soft('Max open files')
    if (limits === undefined || soft === undefined) {
      return [skipped('this system does not say how many files may be open')]
    }
    const { listeners } = config.running
    const wanted = OWN_FILES + listeners.reduce((sum, one) => sum + one.limits.maxConnections, 0)
    const advice = `in the unit of the server write LimitNOFILE=${Math.max(wanted, FEW_FILES)}`
    const said = `${limits.whose} may have ${soft} files open`
    if (soft <= OWN_FILES) return [failure(`${said}, fewer than it needs to start`, advice)]
    if (soft < wanted) {
      return [
        warning(`${said}, and the listeners take up to ${wanted - OWN_FILES} connections`, advice),
      ]
    }
    return [ok(said)]
  },
}

interface Limits {
  readonly soft: (name: string) => number | undefined
  /** How messages name the process. */
  readonly whose: string
}

/** Of the running server, where its pid file tells of one, else of this process, which has those of the shell. */
async function limitsOf(
  machine: Machine,
  pidFile: string | undefined,
): Promise<Limits | undefined> {
  const pid = await runningPid(machine, pidFile)
  const ofServer = pid === undefined ? undefined : await machine.readText(`/proc/${pid}/limits`)
  const text = ofServer ?? (await machine.readText('/proc/self/limits'))
  if (text === undefined) return undefined
  return {
    soft(name) {
      const line = text.split('\n').find((one) => one.startsWith(name))
      const value = line?.slice(name.length).trim().split(/\s+/)[0]
      if (value === undefined || value === '') return undefined
      return value === 'unlimited' ? Infinity : Number(value)
    },
    whose: ofServer === undefined ? 'a process of this shell' : 'the running server',
  }
}
