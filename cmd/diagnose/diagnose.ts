/** Runs the checks of a server's configuration and machine, and puts together what they found. */
import { addressCheck } from './address-check.ts'
import { auditCheck } from './audit-check.ts'
import type { Check, Subject } from './check.ts'
import { clockCheck } from './clock-check.ts'
import { checkConfig } from './config-check.ts'
import { containerCheck } from './container-check.ts'
import { diskCheck } from './disk-check.ts'
import { failure, skipped, worst, type Finding, type Status } from './finding.ts'
import { coreCheck, filesCheck } from './limits-check.ts'
import { listenerCheck } from './listener-check.ts'
import type { Machine } from './machine.ts'
import { memoryCheck } from './memory-check.ts'
import { checkProgram } from './program.ts'
import { storageCheck } from './storage-check.ts'
import { swapCheck } from './swap-check.ts'
import { tlsCheck } from './tls-check.ts'

export interface Result {
  readonly title: string
  readonly status: Status
  readonly findings: readonly Finding[]
}

const CHECKS: readonly Check[] = [
  storageCheck,
  diskCheck,
  tlsCheck,
  listenerCheck,
  addressCheck,
  auditCheck,
  clockCheck,
  memoryCheck,
  filesCheck,
  coreCheck,
  swapCheck,
  containerCheck,
]
/** Names that may be skipped. */
export const CHECK_NAMES: readonly string[] = CHECKS.map(({ name }) => name)

/** @param skip names of checks; the program and the configuration are always looked at */
export async function diagnose(
  configPaths: readonly string[],
  machine: Machine,
  skip: ReadonlySet<string>,
): Promise<readonly Result[]> {
  const { config, findings } = checkConfig(configPaths, machine)
  const first = [resultOf('Program', checkProgram(machine)), resultOf('Configuration', findings)]
  if (config === undefined) return first
  const subject = { machine, configPaths, config }
  // One after another: what one of them opens is closed before the next looks.
  for (const check of CHECKS) {
    first.push(
      skip.has(check.name)
        ? resultOf(check.title, [skipped('as asked for')])
        : await run(check, subject),
    )
  }
  return first
}

/** One that breaks is a failure of its own, and holds up no other. */
async function run({ name, title, run: look }: Check, subject: Subject): Promise<Result> {
  try {
    return resultOf(title, await look(subject))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    const message = `this check could not be made${code}`
    return resultOf(title, [failure(message, `please report it; -skip=${name} leaves it out`)])
  }
}

function resultOf(title: string, findings: readonly Finding[]): Result {
  return { title, status: worst(findings.map(({ status }) => status)), findings }
}
