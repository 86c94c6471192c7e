/** The commands `operator share check` and `operator share status`: what is known of the key shares in force. */
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { askData, askSecret, plainly } from '../client/logical.ts'
import { numberOf, stringsOf, textOf } from '../client/secret.ts'
import type { Printer } from '../output/printer.ts'
import { tableText } from '../output/table.ts'
import { takeLoneShare } from './ceremony-share.ts'
import { between, command } from './command.ts'
import { CommandFailed, EXIT_REMOTE, orFail } from './failure.ts'

export const check = command({
  usage: 'operator share check [options] [KEY]',
  about: `Tells whether a key share is one of those in force, and whose: to find out which piece of paper is the right one. It unseals nothing and counts for no ceremony. KEY is asked for and not shown while you type; "-" reads it from standard input. Exit code: 0 it is in force, 2 it is not, or nothing is known.

  %p operator share check`,
  outputs: 'format',
  words: between(0, 1),
  async run(call) {
    const { printer, program, connection } = call
    const key = await takeLoneShare(call)
    const request = { method: 'POST', path: 'sys/shares/check', body: { key } } as const
    const secret = await orFail(
      'Error checking the key share',
      plainly(askSecret(connection(), request)),
    )
    const data = secret?.data ?? {}
    const state = textOf(data['state'])
    if (printer.format !== 'table') printer.data(data)
    else showChecked(data, state, printer, program.command)
    return state === 'in_force' ? 0 : EXIT_REMOTE
  },
})

function showChecked(data: JsonObject, state: string, printer: Printer, program: string): void {
  if (state === 'in_force') {
    printer.line(`In force: this share is one of those that unseal the server${ofHolder(data)}.`)
    return printer.advise(
      'What to do now: put it back in its place. If you were not its holder, tell them that you saw it.',
    )
  }
  if (state === 'unknown') {
    printer.line('Unknown: this server has noted nothing of its key shares.')
    return printer.advise(
      `They were made by an older release. What to do now: the next rekey notes them (${program} operator rekey -init -verify). Until then a drill proves that shares are right: ${program} operator drill -init`,
    )
  }
  printer.line('Not in force: this share does not unseal the server.')
  printer.advise(
    'What to do now: look whether it was typed whole, then whether it is of another server, of before the last rekey, or a new one that waits for verification (operator rekey -status). If its holder has no other, the shares that are left must do: as long as they are enough, make new ones (operator rekey).',
  )
}

function ofHolder(data: JsonObject): string {
  const [holder, fingerprint] = [textOf(data['holder']), textOf(data['pgp_fingerprint'])]
  const pgp = fingerprint === '' ? '' : `, encrypted to the PGP key ${fingerprint}`
  return `${holder === '' ? '' : `, that of ${holder}`}${pgp}`
}

export const status = command({
  usage: 'operator share status [options]',
  about: `Shows who has the key shares in force, how many of them unseal, and the last drills.

  %p operator share status`,
  outputs: 'format',
  async run({ printer, program, connection }) {
    const data = await orFail(
      'Error reading what is known of the key shares',
      askData(connection(), { method: 'GET', path: 'sys/shares' }),
    )
    if (printer.format !== 'table') return printer.data(data)
    showShares(data, printer)
    const drills = objectsOf(data['drills'])
    if (drills.length > 0) printer.line(`\n${tableText([DRILL_HEADER, ...drills.map(drillRow)])}`)
    printer.advise(`\n${advice(data, drills, program.command)}`)
  },
})

function showShares(data: JsonObject, printer: Printer): void {
  const holders = objectsOf(data['holders'])
  if (data['known'] !== true) {
    printer.line(`Key Shares    ${numberOf(data['n'])}\nThreshold     ${numberOf(data['t'])}`)
    return
  }
  printer.line(
    `Key Shares    ${numberOf(data['n'])}\nThreshold     ${numberOf(data['t'])}\nMade          ${textOf(data['made_time'])}\n`,
  )
  const rows = holders.map((one, at) => [
    String(at + 1),
    textOf(one['holder']) || 'not named',
    textOf(one['pgp_fingerprint']) || 'none',
  ])
  printer.line(tableText([['Share', 'Holder', 'PGP Fingerprint'], ...rows]))
}

const DRILL_HEADER = ['Drill', 'Result', 'Holders']

function drillRow(drill: JsonObject): readonly string[] {
  const named = (stringsOf(drill['holders']) ?? []).map((name) => name || 'not named')
  return [
    textOf(drill['end_time']),
    drill['passed'] === true ? 'passed' : 'FAILED',
    named.join(', '),
  ]
}

function advice(data: JsonObject, drills: readonly JsonObject[], program: string): string {
  if (data['known'] !== true)
    return 'Who has them is unknown until the next rekey: an older release made them.'
  if (drills.length === 0)
    return `Nobody has proved yet that enough shares are there. To do so: ${program} operator drill -init`
  return drills[0]?.['passed'] === true
    ? `A drill now and then shows that enough shares are still there: ${program} operator drill -init`
    : `The last drill failed. Find the right shares with ${program} operator share check, and drill again.`
}

function objectsOf(value: Json | undefined): readonly JsonObject[] {
  if (!Array.isArray(value))
    throw new CommandFailed('The server answered something else than a list')
  return value.filter(isJsonObject)
}
