#!/usr/bin/env node
/**
 * What a person starts. Modules are loaded where they are used: a server needs no commands, a command no server.
 */
import { programNamed } from './cli/program.ts'
import { processTerminal } from './cli/terminal.ts'
import { tooOld } from './node-version.ts'

const [, startedAs = '', ...args] = process.argv

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0) // the reader of a pipe (`| head`) has seen enough
})

process.exitCode = await main()

async function main(): Promise<number> {
  const terminal = processTerminal()
  const program = programNamed(terminal.env['KEYHOLD_PROGRAM'] ?? startedAs)
  if (args.length === 1 && ['version', '-v', '-version', '--version'].includes(args[0] ?? '')) {
    terminal.out(`${program.versionLine}\n`)
    return 0
  }
  const refusal = tooOld(process.versions.node)
  if (refusal !== undefined) {
    terminal.err(refusal)
    return 1
  }
  const { COMP_LINE: line, COMP_POINT: point } = terminal.env
  if (line !== undefined) {
    const { candidates } = await import('./cli/complete.ts')
    const typed = line.slice(0, point === undefined ? undefined : Number(point))
    for (const one of await candidates(typed, args[1], terminal)) terminal.out(`${one}\n`)
    return 0
  }
  if (args[0] === 'server') {
    const { runServer } = await import('./server/server.ts')
    // A line that nobody reads must not hold the process.
    process.exit(await runServer(args.slice(1), terminal, startedAs))
  }
  const { runCommandLine } = await import('./cli/run.ts')
  return runCommandLine(args, terminal, program)
}
