/**
 * Programs that a test needs from outside the project. Where one is missing the test is skipped with what to install;
 * in CI (CI=true) it fails instead, so that a suite cannot drop out unnoticed.
 */
import { spawnSync } from 'node:child_process'

export class OutsideMissing extends Error {
  override readonly name = 'OutsideMissing'
}

/**
 * @param hint what to install, said to the person who sees the skip
 * @returns why to skip, or undefined if the program runs
 * @throws {OutsideMissing} it is missing and this is CI
 */
export function missingProgram(
  program: string,
  args: readonly string[],
  hint: string,
): string | undefined {
  if (spawnSync(program, args, { stdio: 'ignore' }).status === 0) return undefined
  return missing(`${program} does not run here: install ${hint}`)
}

/** For what turns out to be missing later, such as a package that cannot be had offline. */
export function missing(reason: string): string {
  if (process.env['CI'] === 'true') throw new OutsideMissing(reason)
  return reason
}
