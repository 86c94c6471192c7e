/** `operator raft`: what to do instead, here where there is no raft. */
import { atLeast, command } from './command.ts'
import { CommandFailed, EXIT_USAGE } from './failure.ts'

const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['join', 'a node joins by being started on the same storage; nothing else is to be done'],
  ['list-peers', '"%p operator members" lists the nodes'],
  ['remove-peer', 'a node leaves by being stopped'],
  ['promote', 'all nodes are alike'],
  ['demote', 'all nodes are alike'],
  ['autopilot', 'there is no quorum to look after: any node that is up serves'],
  [
    'snapshot',
    'copy the storage instead, while the server runs: sqlite3 KEYHOLD.DB ".backup COPY.DB" (docs/operating/backup.md); "%p operator migrate" copies one that is stopped',
  ],
])

export const raft = command({
  usage: 'operator raft SUBCOMMAND',
  about: `There is no raft here: nodes share one storage, and know of each other by it. For each command of "operator raft" this one says what to do instead.

  %p operator raft snapshot`,
  words: atLeast(0),
  async run({ args: [subcommand = ''], program }) {
    const instead =
      INSTEAD.get(subcommand) ?? 'nodes share one storage, and know of each other by it'
    const hint = instead.replaceAll('%p', program.command)
    throw new CommandFailed(`There is no raft here: ${hint}`, EXIT_USAGE)
  },
})
