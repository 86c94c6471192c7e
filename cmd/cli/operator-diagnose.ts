/** The command `operator diagnose`: looks at a server's configuration and machine, by itself, without the server. */
import { systemClock } from '../../core/clock.ts'
import { CHECK_NAMES, diagnose as runChecks, type Result } from '../diagnose/diagnose.ts'
import { worst, type Finding, type Status } from '../diagnose/finding.ts'
import { thisMachine } from '../diagnose/machine.ts'
import type { Printer } from '../output/printer.ts'
import { wrapIndented } from '../output/wrap.ts'
import { command } from './command.ts'
import { CommandFailed } from './failure.ts'
import { list } from './flags.ts'

/** As OpenBao's: 1 is for failures, so what is wrong with the command line has another. */
export const EXIT_WRONG_CALL = 3
export const EXIT_CODES: Readonly<Record<Status, number>> = {
  skipped: 0,
  ok: 0,
  warning: 2,
  failure: 1,
}
const WIRE: Readonly<Record<Status, string>> = {
  skipped: 'skipped',
  ok: 'ok',
  warning: 'warn',
  failure: 'fail',
}
const INDENT = 4

export const diagnose = command({
  usage: 'operator diagnose [options]',
  about: `Looks at the configuration of a server and at its machine: the storage, its disk, TLS, listeners, audit files, permissions, the clock, memory, limits, swap. It changes nothing, asks for no token, and may run beside the server. Run it as the user of the server, on its machine. Exit code: 0 all is well, 1 something keeps the server from starting or is dangerous, 2 something should be looked at, 3 the command line is wrong.

  %p operator diagnose -config=/etc/keyhold/keyhold.hcl
  %p operator diagnose -config=/etc/keyhold/keyhold.hcl -skip=swap -skip=container -format=json`,
  outputs: 'format',
  flags: {
    config: list('A configuration file or folder, as for the server; may be given several times.'),
    skip: list(`Leave a check out: ${CHECK_NAMES.join(', ')}; may be given several times.`),
  },
  async run({ flags, printer }) {
    if (flags.config.length === 0) {
      throw new CommandFailed('Must specify a configuration file using -config.', EXIT_WRONG_CALL)
    }
    const skip = flags.skip.flatMap((names) => names.split(',')).map((name) => name.trim())
    const unknown = skip.find((name) => !CHECK_NAMES.includes(name))
    if (unknown !== undefined) {
      throw new CommandFailed(
        `No check is named ${unknown}; there are ${CHECK_NAMES.join(', ')}`,
        EXIT_WRONG_CALL,
      )
    }
    const machine = thisMachine(systemClock.nowMs())
    const results = await runChecks(flags.config, machine, new Set(skip))
    const status = worst(results.map((result) => result.status))
    if (printer.format === 'table') show(results, printer)
    else printer.data(asData(results, status))
    return EXIT_CODES[status]
  },
})

export function show(results: readonly Result[], printer: Printer): void {
  for (const { title, findings } of results) {
    printer.line(title)
    for (const finding of findings) showFinding(finding, printer)
  }
  const count = (status: Status) =>
    results.flatMap(({ findings }) => findings).filter((one) => one.status === status).length
  printer.line(`\n${count('failure')} failures, ${count('warning')} warnings`)
}

function showFinding({ status, message, advice }: Finding, printer: Printer): void {
  printer.line(wrapIndented(`[${status}] ${message}`, INDENT / 2))
  if (advice !== undefined) printer.line(wrapIndented(`to do: ${advice}`, INDENT))
}

/** The members that OpenBao's has. */
export function asData(results: readonly Result[], status: Status) {
  return {
    name: 'Keyhold Diagnose',
    status: WIRE[status],
    children: results.map(({ title, status: own, findings }) => ({
      name: title,
      status: WIRE[own],
      children: findings.map((finding) => ({
        status: WIRE[finding.status],
        message: finding.message,
        ...(finding.advice === undefined ? {} : { advice: finding.advice }),
      })),
    })),
  }
}
