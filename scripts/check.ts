/** `npm run check`: the static checks alone. */
import { CHECKS, runCheck } from './checks.ts'

const failed = CHECKS.filter((check) => {
  process.stdout.write(`== ${check.name}\n`)
  return !runCheck(check)
})
if (failed.length > 0) {
  process.stderr.write(`failed: ${failed.map(({ name }) => name).join(', ')}\n`)
  process.exitCode = 1
}
