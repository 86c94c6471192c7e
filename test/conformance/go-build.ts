/** Go programs for tests: the modules are those that a folder's go.mod names, held by the digests in its go.sum. */
import { execFile, type ExecFileException } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export interface GoBuild {
  /** The folder of go.mod. */
  readonly folder: string
  /** The package, as Go names it: `.` is that of the folder. */
  readonly of: string
  readonly tags?: string
  /** The package's tests, as a program that runs them. */
  readonly isTest?: boolean
}

/**
 * Builds in the background: a minute and more for a large one that nothing of is cached.
 *
 * @param to the file of the program
 * @returns why its modules cannot be had, as Go says it; `undefined`: it is built
 */
export async function buildGo(build: GoBuild, to: string): Promise<string | undefined> {
  const { folder, of, tags = '', isTest = false } = build
  const options = { cwd: folder, maxBuffer: 64 * 1024 * 1024 }
  // The modules are those of go.sum, whatever the machine's own settings say.
  const common = ['-mod=readonly', '-buildvcs=false', `-tags=${tags}`]
  try {
    await execute('go', ['list', '-deps', ...(isTest ? ['-test'] : []), ...common, of], options)
  } catch (error) {
    if (isExecError(error)) return error.stderr ?? error.message
    throw error
  }
  const command = isTest ? ['test', '-c'] : ['build']
  // Tests that run meanwhile come first: their servers answer within a time.
  const arguments_ = ['-n', '10', 'go', ...command, ...common, '-ldflags=-s -w', '-o', to, of]
  await execute('nice', arguments_, options)
  return undefined
}

function isExecError(error: unknown): error is ExecFileException {
  return error instanceof Error && 'stderr' in error
}
