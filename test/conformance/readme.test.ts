/**
 * The README's first steps with each client, typed as they stand there against a development server. Python's are with
 * the rest of hvac (`test/conformance/hvac/hvac.test.ts`).
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { missing, missingProgram } from '../support/outside.ts'
import { blockAfter } from '../support/page.ts'
import { startDevServer, type RunningServer } from '../support/server-process.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const withoutCurl = missingProgram('curl', ['--version'], 'curl')
const withoutGo = missingProgram('go', ['version'], 'Go 1.25 or newer')

let server: RunningServer
beforeAll(async () => {
  server = await startDevServer()
})
afterAll(() => server.stop())

test.skipIf(withoutCurl !== undefined)('curl', async () => {
  const commands = blockAfter('README.md', '**curl**', 'sh')

  const out = await type('sh', ['-ec', commands.replaceAll('curl ', 'curl -sSf ')])

  const [written = '', read = '', listed = ''] = out.trim().split('\n')
  expect(JSON.parse(written)).toMatchObject({ data: { version: 1 } })
  expect(JSON.parse(read)).toMatchObject({ data: { data: { password: 's3cr3t' } } })
  expect(JSON.parse(listed)).toMatchObject({ data: { keys: ['app'] } })
})

test('JavaScript, with node-vault', async () => {
  const program = blockAfter('README.md', '**JavaScript**', 'js')

  expect(await type('node', ['--input-type=commonjs', '--eval', program])).toBe('s3cr3t\n')
})

test.skipIf(withoutGo !== undefined)('Go, with its module', async ({ skip }) => {
  const folder = mkdtempSync(join(tmpdir(), 'keyhold-readme-'))
  try {
    for (const name of ['go.mod', 'go.sum']) {
      copyFileSync(join(import.meta.dirname, 'go', name), join(folder, name))
    }
    const modules = spawnSync('go', ['mod', 'download'], { cwd: folder, encoding: 'utf8' })
    if (modules.status !== 0) skip(missing(`the Go modules cannot be had: ${modules.stderr}`))
    writeFileSync(join(folder, 'main.go'), blockAfter('README.md', '**Go**', 'go'))

    expect(await type('go', ['run', '-mod=readonly', '.'], folder)).toBe('s3cr3t\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('the command line, from a clone', async () => {
  await server.api('POST', 'secret/data/app', {
    token: server.rootToken,
    body: { data: { password: 's3cr3t' } },
  })
  const command = blockAfter('README.md', '**The command line**', 'sh').replace('npx ', '')

  expect(await type('sh', ['-ec', command])).toMatch(/^password\s+s3cr3t$/m)
})

/** @returns what it printed; its errors go to this process's, so that a failure says why */
async function type(program: string, args: readonly string[], cwd = ROOT): Promise<string> {
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, PATH, VAULT_ADDR: server.address, VAULT_TOKEN: server.rootToken },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  await once(child, 'close')
  return out
}
