/** `policy lint`: what is wrong with a policy before anybody is refused by it. */
import { systemClock } from '../../core/clock.ts'
import { readSecret } from '../client/logical.ts'
import type { Connection } from '../client/connection.ts'
import { RequestFailed } from '../client/errors.ts'
import { textOf } from '../client/secret.ts'
import { between, command } from './command.ts'
import type { Call } from './command.ts'
import { CommandFailed, EXIT_USAGE, UsageProblem, orFail } from './failure.ts'
import { text, yesNo } from './flags.ts'
import type { FlagValues } from './flags.ts'
import { contentOf } from './policy.ts'
import { askServer, serverFindings, type ServerFacts } from './policy-lint-server.ts'
import { lintText, type Finding } from './policy-lint-text.ts'

/** Something in the policy can have no effect, or is no policy. */
const EXIT_FINDINGS = EXIT_USAGE
/** A server is asked where there is one; a person does not wait for one that is not. */
const ASK_TIMEOUT_MS = 5_000

const flags = {
  name: text('Look at this policy of the server instead of a file.'),
  offline: yesNo('Ask no server what is mounted.'),
}

export const lint = command({
  usage: 'policy lint [options] FILE',
  about: `Looks for mistakes in a policy: rules that can never apply, keys and capabilities that there are not,
capabilities without effect. With a server at hand it looks for paths that no engine has, too; -offline asks none. FILE
may be "-" for standard input.

  %p policy lint app.hcl
  %p policy lint -name=app

An error is what the server refuses, or what can have no effect; a warning is what is hardly meant. Exit codes: 0 no
errors, 1 errors (or a wrong command line), 2 the policy of -name could not be read.`,
  outputs: 'format',
  flags,
  words: between(0, 1, '1'),
  async run(call) {
    const { printer } = call
    const { label, content } = await subjectOf(call)
    const { findings, rules } = lintText(content, systemClock.nowMs())
    const server = rules.length === 0 || call.flags.offline ? undefined : await factsOf(call)
    const all = [...findings, ...(server === undefined ? [] : serverFindings(rules, server))]
    const sorted = all.toSorted((a, b) => a.line - b.line)
    if (printer.format === 'table') showFindings(label, sorted, call)
    else printer.data(sorted.map((finding) => new Map(Object.entries(finding))))
    return all.some(({ severity }) => severity === 'error') ? EXIT_FINDINGS : 0
  },
})

type LintCall = Call<typeof flags> & { flags: FlagValues<typeof flags> }

async function subjectOf(call: LintCall): Promise<{ label: string; content: string }> {
  const { name } = call.flags
  const [file] = call.args
  if ((name === undefined) === (file === undefined))
    throw new UsageProblem('Give either a FILE or -name=NAME')
  if (name === undefined)
    return { label: file ?? '', content: await contentOf((file ?? '').trim(), call) }
  const secret = await orFail(
    `Error reading policy named ${name}`,
    readSecret(call.connection(), `sys/policies/acl/${name.trim().toLowerCase()}`),
  )
  const content = textOf(secret?.data?.['policy'])
  if (content === '') throw new CommandFailed(`No policy named: ${name}`)
  return { label: name, content }
}

/** @returns undefined where no server answers: then the text alone is looked at, and that is said */
async function factsOf({ connection, printer }: LintCall): Promise<ServerFacts | undefined> {
  try {
    const impatient: Connection = { ...connection(), maxRetries: 0, timeoutMs: ASK_TIMEOUT_MS }
    return await askServer(impatient)
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error
    printer.warn('No server was asked what is mounted: none answered, or it refused.')
    return undefined
  }
}

function showFindings(
  label: string,
  findings: readonly Finding[],
  { printer }: Pick<LintCall, 'printer'>,
): void {
  for (const { line, severity, text: what } of findings) {
    const place = line === 0 ? label : `${label}:${line}`
    printer.line(`${place}: ${severity}: ${what}`)
  }
  if (findings.length === 0) printer.line(`${label}: nothing found`)
}
