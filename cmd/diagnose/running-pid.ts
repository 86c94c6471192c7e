/** The process of the server, where its pid file tells of one that is there. */
import type { Machine } from './machine.ts'

export async function runningPid(
  machine: Machine,
  pidFile: string | undefined,
): Promise<number | undefined> {
  if (pidFile === undefined) return undefined
  const text = (await machine.readText(pidFile))?.trim() ?? ''
  if (!/^\d{1,10}$/.test(text)) return undefined
  // A pid that was left behind may be that of another program by now.
  const command = await machine.readText(`/proc/${text}/cmdline`)
  return command?.includes('server') === true ? Number(text) : undefined
}
