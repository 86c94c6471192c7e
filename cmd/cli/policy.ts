/** The commands of `policy`. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidPolicy } from '../../core/policy/errors.ts'
import { listSecrets, perform, plainly, readSecret } from '../client/logical.ts'
import { listedKeys, textOf } from '../client/secret.ts'
import { goValue } from '../output/go-value.ts'
import { command, exactly } from './command.ts'
import type { Call } from './command.ts'
import { CommandFailed, EXIT_USAGE, orFail, reasonOf } from './failure.ts'
import type { Flags } from './flags.ts'

export const list = command({
  usage: 'policy list [options]',
  about: `Lists the policies.

  %p policy list`,
  outputs: 'format',
  async run({ connection, printer }) {
    const secret = await orFail(
      'Error listing policies',
      plainly(listSecrets(connection(), 'sys/policies/acl')),
    )
    const names = (listedKeys(secret) ?? []).map(goValue)
    if (printer.format === 'table') names.forEach((name) => printer.line(name))
    else printer.data(names)
  },
})

function nameOf(given: string | undefined): string {
  return (given ?? '').trim().toLowerCase()
}

export const read = command({
  usage: 'policy read [options] NAME',
  about: `Shows a policy.

  %p policy read app`,
  outputs: 'format',
  words: exactly(1),
  async run({ args, connection, printer }) {
    const name = nameOf(args[0])
    const secret = await orFail(
      `Error reading policy named ${name}`,
      plainly(readSecret(connection(), `sys/policies/acl/${name}`)),
    )
    const rules = textOf(secret?.data?.['policy'] ?? secret?.data?.['rules'])
    if (rules === '') throw new CommandFailed(`No policy named: ${name}`)
    if (printer.format === 'table') printer.line(rules.trim())
    else printer.data({ policy: rules })
  },
})

export const write = command({
  usage: 'policy write [options] NAME FILE',
  about: `Uploads a policy from a file, or from standard input where FILE is "-".

  %p policy write app app.hcl`,
  words: exactly(2),
  async run(call) {
    const [given = '', path = ''] = call.args
    const name = nameOf(given)
    const policy = await contentOf(path.trim(), call)
    await orFail(
      'Error uploading policy',
      perform(call.connection(), {
        method: 'PUT',
        path: `sys/policies/acl/${name}`,
        body: { policy },
      }),
    )
    if (name !== given)
      call.printer.warn(`Policy names are lower case: it is called "${name}" now.`)
    call.printer.line(`Success! Uploaded policy: ${name}`)
  },
})

/** Of a file; `-` is standard input. @throws {CommandFailed} */
export async function contentOf(
  path: string,
  { terminal }: Pick<Call<Flags>, 'terminal'>,
): Promise<string> {
  if (path === '-') return (await terminal.readInput()).toString('utf8')
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new CommandFailed(`Error opening policy file: open ${path}: ${reasonOf(error)}`)
  }
}

export const remove = command({
  usage: 'policy delete [options] NAME',
  about: `Deletes a policy. Tokens that have it keep its name, which then allows nothing.

  %p policy delete app`,
  words: exactly(1),
  async run({ args, connection, printer }) {
    const name = nameOf(args[0])
    await orFail(
      `Error deleting ${name}`,
      perform(connection(), { method: 'DELETE', path: `sys/policies/acl/${name}` }),
    )
    printer.line(`Success! Deleted policy: ${name}`)
  },
})

export const format = command({
  usage: 'policy fmt [options] FILE',
  about: `Formats a policy file in place.

  %p policy fmt app.hcl`,
  words: exactly(1),
  async run({ args, terminal, printer }) {
    const given = (args[0] ?? '').trim()
    const path = given.startsWith('~/') ? join(terminal.home, given.slice(2)) : given
    const { formatPolicy } = await import('./policy-format.ts')
    try {
      await writeFile(path, formatPolicy(await readFile(path, 'utf8')))
    } catch (error) {
      if (error instanceof InvalidPolicy) throw new CommandFailed(error.message, EXIT_USAGE)
      throw new CommandFailed(`Error formatting ${path}: ${reasonOf(error)}`, EXIT_USAGE)
    }
    printer.line(`Success! Formatted policy: ${path}`)
  },
})
