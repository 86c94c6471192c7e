/** The commands of `plugin` that change the catalog of the server's plugins. */
import { askSecret, perform } from '../client/logical.ts'
import { textOf } from '../client/secret.ts'
import { goValue } from '../output/go-value.ts'
import { between, command } from './command.ts'
import { CommandFailed, UsageProblem, orFail } from './failure.ts'
import { list, text, yesNo } from './flags.ts'
import { typeOf } from './plugin.ts'

/** A name alone is that of a plugin whose type was not kept, as old servers had them. */
function catalogPath(words: readonly string[]): { path: string; name: string } {
  const [first = '', second] = words.map((word) => word.trim())
  if (second === undefined) return { path: `sys/plugins/catalog/${first}`, name: first }
  return { path: `sys/plugins/catalog/${typeOf(first)}/${second}`, name: second }
}

export const register = command({
  usage: 'plugin register [options] TYPE NAME',
  about: `Enters a plugin in the catalog. Its file lies in the server's plugin directory already; -sha256 says which one is meant. TYPE is auth, database or secret.

  %p plugin register -sha256=d3f0a8b… -version=v1.0.0 secret my-engine`,
  words: between(1, 2, '1 or 2'),
  flags: {
    args: list('An argument that the plugin is started with; may be given several times.'),
    command: text("Name of the plugin's file; default: its own name."),
    sha256: text('SHA-256 of the file, in hex.'),
    version: text('Its version: v1.2.3.'),
    env: list('A variable that it is started with: NAME=VALUE; may be given several times.'),
    oci: yesNo('The configuration names an image that it comes from.'),
  },
  async run({ args, flags, connection, printer }) {
    const { sha256 = '', version = '' } = flags
    if (sha256 === '')
      throw new UsageProblem('SHA256 is required for all plugins, please provide -sha256')
    const { path, name } = catalogPath(args)
    const body = {
      args: flags.args.flatMap((given) => given.split(',')),
      command: flags.command ?? name,
      sha256,
      version,
      ...(flags.env.length > 0 && { env: flags.env }),
      ...(flags.oci && { oci: true }),
    }
    await orFail(
      `Error registering plugin ${name}`,
      perform(connection(), { method: 'PUT', path, body }),
    )
    printer.line(`Success! Registered plugin: ${name}`)
  },
})

const SEMANTIC_VERSION = /^v?\d+(?:\.\d+){0,2}(?:[-+][0-9A-Za-z.+-]+)?$/

export const deregister = command({
  usage: 'plugin deregister [options] TYPE NAME',
  about: `Takes a plugin out of the catalog. What is mounted of it stays, and fails when it is started next.

  %p plugin deregister -version=v1.0.0 secret my-engine`,
  words: between(1, 2, '1, or 2'),
  flags: { version: text('The version to take out; default: the one without a version.') },
  async run({ args, flags, connection, printer }) {
    const { path, name } = catalogPath(args)
    const { version = '' } = flags
    if (version !== '' && !SEMANTIC_VERSION.test(version))
      throw new CommandFailed(
        `version ${JSON.stringify(version)} is not a valid semantic version: it is like v1.2.3`,
      )
    await orFail(
      `Error deregistering plugin named ${name}`,
      perform(connection(), { method: 'DELETE', path, query: { version } }),
    )
    printer.line(`Success! Deregistered plugin (if it was registered): ${name}`)
  },
})

export const reload = command({
  usage: 'plugin reload [options]',
  about: `Starts a plugin anew: all mounts of one (-plugin), or some mounts (-mounts).

  %p plugin reload -plugin=my-engine
  %p plugin reload -mounts=team-a/,team-b/`,
  flags: {
    plugin: text('Name of the plugin.'),
    mounts: list('Path of a mount; several with commas between.'),
    scope: text('"global": on all nodes.'),
  },
  async run({ flags: { plugin = '', mounts: given, scope = '' }, connection, printer }) {
    const mounts = given.flatMap((item) => item.split(','))
    if (plugin === '' && mounts.length === 0)
      throw new UsageProblem('Not enough arguments (expected 1, got 0): give -plugin or -mounts')
    if (plugin !== '' && mounts.length > 0)
      throw new UsageProblem('Too many arguments (expected 1, got 2): give -plugin or -mounts')
    if (!['', 'global'].includes(scope)) throw new UsageProblem(`Invalid reload scope: ${scope}`)
    const secret = await orFail(
      'Error reloading plugin/mounts',
      askSecret(connection(), {
        method: 'PUT',
        path: 'sys/plugins/reload/backend',
        body: { plugin, mounts, scope },
      }),
    )
    const id = scope === 'global' ? textOf(secret?.data?.['reload_id']) : ''
    const what = plugin === '' ? `mounts: ${goValue(mounts)}` : `plugin: ${plugin}`
    printer.line(
      id === '' ? `Success! Reloaded ${what}` : `Success! Reloading ${what}, reload_id: ${id}`,
    )
  },
})
