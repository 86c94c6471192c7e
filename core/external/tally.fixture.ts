/** The engine of `docs/plugins.md` and others like it, as external plugins: written into a directory and registered. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { startCluster, type Cluster, type ClusterOptions } from '../../test/support/kit.ts'
import { readPlugin } from './files.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/plugins.md'), 'utf8')

/** As an author outside of the repository writes it. */
export const TALLY = (/^```ts\n(.*?)^```$/ms.exec(page)?.[1] ?? '').replaceAll(
  /from '\.\.\/\.\.\/core\/[^']+'/g,
  "from 'keyhold/plugin'",
)

/** A plugin of one path, `:name`, whose handlers are the given text. */
export function pluginOf(operations: string, { more = '', kind = 'secret' } = {}): string {
  return `
import { BadRequest, kind, path, RequestError, string } from 'keyhold/plugin'
import { writeSync } from 'node:fs'
import { z } from 'zod'
const records = kind('text', z.object({ text: z.string() }))
export default {
  type: 'tried',
  kind: '${kind}',
  help: 'To try things.',
  create: ({ version }) => ({
    paths: [path(':name', {
      summary: 'A text',
      fields: { name: string('Its name.').default(''), text: string('The text.').default('') },
      operations: { ${operations} },
    })],
    ${more}
  }),
}
`
}

export interface PluginCluster extends Cluster {
  readonly directory: string
  /** Writes files into the plugin directory. */
  put(files: Readonly<Record<string, string>>): void
  /** Registers what lies there. @param command a file or folder */
  register(command: string, more?: object): Promise<void>
}

function pluginDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'keyhold-plugins-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** @param directories of the nodes, where they are not the same */
export async function startPluginCluster(
  options: ClusterOptions = {},
  directories?: (directory: string) => readonly (string | undefined)[],
): Promise<PluginCluster> {
  const directory = pluginDirectory()
  const own = directories?.(directory) ?? directory
  const cluster = await startCluster({ pluginDirectory: own, ...options })
  onTestFinished(() => cluster.close())
  return Object.assign(cluster, {
    directory,
    put(files: Readonly<Record<string, string>>) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, name)), { recursive: true })
        writeFileSync(join(directory, name), text)
      }
    },
    async register(command: string, more: { type?: string; name?: string } = {}) {
      const { sha256 } = await readPlugin(join(directory, command))
      const { type = 'secret', name = command.replace(/\..*$/, ''), ...body } = more
      const at = `sys/plugins/catalog/${type}/${name}`
      const answer = await cluster.write(at, { sha256, command, ...body }, { node: 0 })
      expect(answer).toMatchObject({ status: 204 })
    },
  })
}

/** A mount at `at/` of one plugin that is a module of this text. */
export async function mounted(
  text: string,
  { type = 'secret', ...options }: ClusterOptions & { type?: 'secret' | 'auth' } = {},
  directories?: (directory: string) => readonly (string | undefined)[],
): Promise<PluginCluster> {
  const cluster = await startPluginCluster(options, directories)
  cluster.put({ 'tried.mjs': text })
  await cluster.register('tried.mjs', { type, version: 'v1.0.0' })
  const at = type === 'auth' ? 'sys/auth/at' : 'sys/mounts/at'
  const made = await cluster.write(at, { type: 'tried' }, { node: 0 })
  if (made.status !== 204)
    throw new Error([made.text, ...cluster.pluginLog, ...cluster.failures].join('\n'))
  return cluster
}
