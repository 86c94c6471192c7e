/** The commands of `plugin` for who writes one: they ask no server. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { readPlugin } from '../../core/external/files.ts'
import { command, exactly } from './command.ts'
import { CommandFailed, reasonOf, UsageProblem } from './failure.ts'
import { text } from './flags.ts'
import { pluginFiles } from './plugin-template.ts'

export const digest = command({
  usage: 'plugin digest [options] PATH',
  about: `Prints the digest by which a plugin is registered: of a module, its SHA-256; of a package's folder, the SHA-256 of the list of its files' SHA-256.

  %p plugin digest /opt/keyhold/plugins/tally`,
  words: exactly(1),
  async run({ args: [path = ''], printer }) {
    try {
      printer.line((await readPlugin(resolve(path))).sha256)
    } catch (error) {
      throw new CommandFailed(`Error reading the plugin: ${reasonOf(error)}`)
    }
  },
})

const NAME = /^[a-z](?:[a-z0-9-]{0,62}[a-z0-9])?$/

export const create = command({
  usage: 'plugin new [options] NAME',
  about: `Begins a plugin in a folder of its name: package, source, test, and a README with the steps from there to a mount.

  %p plugin new tally
  %p plugin new -kind=auth passphrase`,
  words: exactly(1),
  flags: { kind: text('What it is to be: secret (the default) or auth.') },
  async run({ args: [name = ''], flags: { kind = 'secret' }, printer }) {
    if (!NAME.test(name)) {
      throw new UsageProblem('NAME has small letters, digits and "-", and begins with a letter')
    }
    if (kind !== 'secret' && kind !== 'auth') throw new UsageProblem('-kind is secret or auth')
    const folder = resolve(name)
    if (existsSync(folder)) throw new CommandFailed(`${folder} is there already`)
    for (const [path, content] of pluginFiles(name, kind)) {
      const file = join(folder, path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, content, { flag: 'wx' })
    }
    printer.line(`Success! Next: cd ${name}, and see README.md`)
  },
})
