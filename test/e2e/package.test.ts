/**
 * The package that is published, made as a person makes it (`npm run build`, then `npm pack`): what it holds, and that it
 * works where it is installed.
 */
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  globSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { PRODUCT_VERSION } from '../../core/version.ts'
import { BUDGETS } from '../budgets.ts'
import { missing } from '../support/outside.ts'
import { startDevServer, startServer } from '../support/server-process.ts'

const root = resolve(import.meta.dirname, '../..')
const installed = z.object({
  scripts: z.record(z.string(), z.string()).default({}),
  gypfile: z.boolean().optional(),
})
const folder = mkdtempSync(join(tmpdir(), 'keyhold-package-'))
const prefix = join(folder, 'prefix')
const keyhold = join(prefix, 'bin/keyhold')
let archive = ''
/** Why it could not be installed. */
let skipped: string | undefined

beforeAll(() => {
  // What is installed starts with `#!/usr/bin/env node`.
  vi.stubEnv('PATH', `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`)
  vi.stubEnv('KEYHOLD_BIN', keyhold)
  run(process.execPath, [join(root, 'scripts/build.ts')])
  run('npm', ['pack', '--loglevel=error', `--pack-destination=${folder}`], root)
  archive = join(folder, `keyhold-${PRODUCT_VERSION}.tgz`)
  const args = ['--global', `--prefix=${prefix}`, '--prefer-offline', archive]
  const { status, stderr } = spawnSync('npm', ['install', '--loglevel=error', ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) skipped = missing(`what keyhold needs cannot be installed: ${stderr}`)
})

afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

test('it holds the compiled sources and no tests', () => {
  const files = run('tar', ['-tzf', archive]).trim().split('\n')

  expect(files).toContain('package/dist/cmd/keyhold.js')
  expect(files).toContain('package/dist/storage/sqlite-committer.js')
  expect(files).toContain('package/LICENSE')
  expect(
    files.filter((file) => /(?<!\.d)\.ts$|\.(?:test|suite|fixture)\.|\/testing\//.test(file)),
  ).toEqual([])
})

test('installed, it brings neither a Node nor tools', ({ skip }) => {
  skip(skipped !== undefined, skipped)
  const packages = readdirSync(join(prefix, 'lib/node_modules/keyhold/node_modules'))

  expect(packages).toContain('better-sqlite3')
  expect(packages.filter((name) => /^node-(?:linux|bin)|^typescript$|^vitest$/.test(name))).toEqual(
    [],
  )
})

test('to install it runs no script and compiles nothing', ({ skip }) => {
  skip(skipped !== undefined, skipped)
  const running = installedManifests().filter((file) => {
    const { scripts, gypfile } = installed.parse(JSON.parse(readFileSync(file, 'utf8')))
    const compiled = gypfile !== false && existsSync(join(dirname(file), 'binding.gyp'))
    return compiled || Object.keys(scripts).some((name) => /^(?:pre|post)?install$/.test(name))
  })

  expect(running).toEqual([])
})

test('it costs no more than its budget', ({ skip }) => {
  expect(lstatSync(archive).size).toBeLessThan(BUDGETS.packedBytes)

  skip(skipped !== undefined, skipped)
  const files = globSync('**/*', { cwd: prefix }).map((name) => lstatSync(join(prefix, name)))
  const manifests = installedManifests()
  expect(manifests).toContain(join(prefix, 'lib/node_modules/keyhold/package.json'))
  expect(manifests.length).toBeLessThanOrEqual(BUDGETS.packages)
  expect(files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(BUDGETS.installedBytes)
})

test('installed, it says its version', ({ skip }) => {
  skip(skipped !== undefined, skipped)

  expect(run(keyhold, ['version'])).toMatch(`Keyhold v${PRODUCT_VERSION}`)
})

test('installed, its development server keeps secrets, in little memory', async ({ skip }) => {
  skip(skipped !== undefined, skipped)
  const server = await startDevServer()

  const written = await server.api('POST', 'secret/data/app', {
    token: server.rootToken,
    body: { data: { key: 'value' } },
  })
  const read = await server.api('GET', 'secret/data/app', { token: server.rootToken })
  const resident = residentBytes(server.pid)
  await server.stop()

  expect(written.status).toBe(200)
  expect(read.json).toMatchObject({ data: { data: { key: 'value' } } })
  expect(resident).toBeLessThan(BUDGETS.residentBytes)
})

test('installed, its server keeps them in SQLite', async ({ skip }) => {
  skip(skipped !== undefined, skipped)
  const server = await startServer({ storage: 'sqlite' })

  const health = await server.api('GET', 'sys/health')
  await server.stop()

  expect(health.json).toMatchObject({ initialized: true, sealed: false })
})

test.for(['secret', 'auth'])(
  'installed, it begins a plugin of kind %s, whose README leads from there to a mount',
  async (kind, { skip }) => {
    skip(skipped !== undefined, skipped)
    const home = mkdtempSync(join(folder, 'author-'))
    const plugins = mkdtempSync(join(folder, 'plugins-'))
    run(keyhold, ['plugin', 'new', `-kind=${kind}`, 'mine'], home)
    const author = join(home, 'mine')
    const server = await startServer({ topLines: [`plugin_directory = "${plugins}"`] })

    const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail'], {
      cwd: author,
      encoding: 'utf8',
      input: stepsOf(join(author, 'README.md'), plugins),
      env: {
        ...process.env,
        HOME: home,
        PATH: `${dirname(keyhold)}${delimiter}${process.env['PATH'] ?? ''}`,
        VAULT_ADDR: server.address,
        VAULT_TOKEN: server.rootToken,
      },
    })
    const logs = server.logs()
    await server.stop()

    expect(status, `${stdout}${stderr}${logs}`).toBe(0)
    expect(stdout).toContain(kind === 'secret' ? 'Hello' : 'token_policies')
    expect(typeErrors(author)).toBe('')
  },
)

/** The commands of a README's steps, with this package and this plugin directory in place of the public ones. */
function stepsOf(readme: string, plugins: string): string {
  const blocks = readFileSync(readme, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)
  return Array.from(blocks, ([, block = '']) => block)
    .join('\n')
    .replace('npm install', `npm install --save-dev --prefer-offline ${archive}`)
    .replace('/opt/keyhold/plugins', plugins)
}

/** What the compiler has to say of the sources of a plugin, with the published types. */
function typeErrors(author: string): string {
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024']
  const files = ['src/plugin.ts', 'test/plugin.test.ts']
  return spawnSync(
    join(root, 'node_modules/.bin/tsc'),
    [...flags, '--allowImportingTsExtensions', ...types, ...files],
    { cwd: author, encoding: 'utf8' },
  ).stdout
}

/** Of the package and of all that it brings. */
function installedManifests(): string[] {
  return globSync(join(prefix, 'lib/**/node_modules/{*,@*/*}/package.json'))
}

function run(program: string, args: readonly string[], cwd = folder): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return stdout
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  expect(kibibytes).toBeDefined()
  return Number(kibibytes) * 1024
}
