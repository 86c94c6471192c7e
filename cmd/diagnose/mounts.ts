/** Which file system a path lies on. */
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Machine } from './machine.ts'

/** Its type, such as `ext4`; `undefined`: the system does not say. */
export async function fileSystemOf(path: string, machine: Machine): Promise<string | undefined> {
  const table = await machine.readText('/proc/self/mountinfo')
  if (table === undefined) return undefined
  const real = nearestReal(path)
  let found: { readonly at: string; readonly type: string } | undefined
  for (const line of table.split('\n')) {
    // ID PARENT MAJOR:MINOR ROOT MOUNT-POINT OPTIONS ... - TYPE SOURCE OPTIONS (proc(5))
    const [before = '', after = ''] = line.split(' - ')
    const at = unescaped(before.split(' ')[4] ?? '')
    const [type = ''] = after.split(' ')
    const covers = at !== '' && (real === at || real.startsWith(at === '/' ? '/' : `${at}/`))
    // Of two at one place the later one lies above.
    if (covers && at.length >= (found?.at.length ?? 0)) found = { at, type }
  }
  return found?.type
}

/** Without symbolic links; of what is not there yet the folder where it will be. */
function nearestReal(path: string): string {
  for (let one = path; ; one = dirname(one)) {
    try {
      return realpathSync(one)
    } catch {
      if (one === dirname(one)) return one
    }
  }
}

/** Blanks and the like are written in octal. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_all, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}
