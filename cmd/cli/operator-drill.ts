/** The command `operator drill`: holders prove that enough key shares are there, and nothing else happens. */
import type { JsonObject } from '../../core/json.ts'
import type { Connection } from '../client/connection.ts'
import { askData, perform } from '../client/logical.ts'
import { numberOf, stringsOf, textOf } from '../client/secret.ts'
import { goValue } from '../output/go-value.ts'
import { tableText } from '../output/table.ts'
import { refusedShare, takeShare } from './ceremony-share.ts'
import { between, command } from './command.ts'
import type { Call } from './command.ts'
import { EXIT_REMOTE, UsageProblem, orFail } from './failure.ts'
import { text, yesNo } from './flags.ts'

const PATH = 'sys/shares/drill'

const flags = {
  init: yesNo('Begin.'),
  cancel: yesNo('End it without a result.'),
  status: yesNo('Only show how far it is.'),
  nonce: text('The nonce of the drill; needed with a share that is not typed at the prompt.'),
}
type DrillCall = Call<typeof flags>

export const drill = command({
  usage: 'operator drill [options] [KEY]',
  about: `Proves that enough key shares are there to unseal the server, while it is open and stays so. One person begins. As many holders as unseal the server then give their shares, at any machine; with the last one it is tried whether they make the root key. When that was, and who took part, is noted (operator share status). Nothing else changes. KEY is asked for and not shown while you type; "-" reads it from standard input. Exit code: 2 where the drill fails.

  %p operator drill -init
  %p operator drill`,
  outputs: 'format',
  words: between(0, 1),
  flags,
  async run(call) {
    const { flags: given } = call
    const connection = call.connection()
    if (given.cancel) return cancel(connection, call)
    if (given.init) {
      const begun = askData(connection, { method: 'POST', path: PATH })
      return showStatus(await orFail('Error beginning the drill', begun), call)
    }
    const status = await orFail(
      'Error reading the drill',
      askData(connection, { method: 'GET', path: PATH }),
    )
    if (given.status) return showStatus(status, call)
    return give(connection, status, call)
  },
})

async function cancel(connection: Connection, { printer, program }: DrillCall): Promise<void> {
  await orFail('Error ending the drill', perform(connection, { method: 'DELETE', path: PATH }))
  printer.line('Success! Ended the drill (if one was in progress)')
  printer.advise(`No share was kept. To begin anew: ${program.command} operator drill -init`)
}

async function give(connection: Connection, before: JsonObject, call: DrillCall) {
  const again = `${call.program.command} operator drill`
  if (before['started'] !== true)
    throw new UsageProblem(`No drill is in progress. One person begins it: ${again} -init`)
  if (call.printer.format === 'table')
    call.printer.advise('A drill: what you type is tried, and unseals nothing.')
  const body = { ...(await takeShare(call, before, call.flags.nonce)) }
  const after = await orFail(
    'Error giving the key share',
    askData(connection, { method: 'POST', path: `${PATH}/update`, body }),
  ).catch((error: unknown) => {
    throw refusedShare(error, again)
  })
  if (after['complete'] !== true) return showStatus(after, call)
  return showResult(after, call)
}

function showResult(after: JsonObject, { printer, program }: DrillCall): number {
  const passed = after['passed'] === true
  if (printer.format !== 'table') {
    printer.data(after)
    return passed ? 0 : EXIT_REMOTE
  }
  const again = `${program.command} operator`
  if (passed) {
    printer.line(`The drill passed: these ${goValue(after['required'])} shares unseal the server.`)
    printer.advise(
      `What to do now: put the shares back in their places. The date and the holders are noted: ${again} share status`,
    )
    return 0
  }
  printer.line('The drill FAILED: these shares together do not unseal the server.')
  printer.advise(
    `One of them is wrong, and which one cannot be told. The server is open and stays so, but must not be sealed or restarted until this is cleared up. What to do now: have other holders drill (${again} drill -init); with enough right shares make new ones (${again} rekey -init -verify).`,
  )
  return EXIT_REMOTE
}

function showStatus(status: JsonObject, { printer, program }: DrillCall): void {
  if (printer.format !== 'table') return printer.data(status)
  const rows = [
    ['Nonce', textOf(status['nonce'])],
    ['Started', goValue(status['started'] ?? false)],
    ['Progress', `${numberOf(status['progress'])}/${numberOf(status['required'])}`],
  ]
  const holders = (stringsOf(status['holders']) ?? []).map((name) => name || 'not named')
  if (holders.length > 0) rows.push(['Given By', holders.join(', ')])
  printer.line(tableText([['Key', 'Value'], ...rows]))
  printer.advise(whatIsNext(status, `${program.command} operator drill`))
}

/** For a person under stress: where we are, and the one thing to do. */
function whatIsNext(status: JsonObject, again: string): string {
  if (status['started'] !== true) return `Nothing is running. To begin: ${again} -init`
  const missing = numberOf(status['required']) - numberOf(status['progress'])
  const shares = `${missing} more ${missing === 1 ? 'share is' : 'shares are'} needed`
  return `${shares}. The next holder compares the nonce and runs: ${again}`
}
