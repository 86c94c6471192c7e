/**
 * `server -dev`, as somebody meets it who tries the program for the first time.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { apiClient } from '../support/api-client.ts'
import { freePort } from '../support/free-port.ts'
import { namedBinary } from '../support/named-binary.ts'
import { run, start, testFolder, type KeyholdProcess } from './keyhold-process.ts'

const REPOSITORY = resolve(import.meta.dirname, '../..')
const READY = /Root Token: \S+\n/

interface DevServer {
  readonly process: KeyholdProcess
  readonly address: string
  readonly home: string
  /** Where its data lies. */
  readonly temporary: string
}

async function startDev(
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<DevServer> {
  const home = testFolder()
  const temporary = join(home, 'tmp')
  mkdirSync(temporary)
  const mode = flags.includes('-dev-tls') ? [] : ['-dev']
  const process = start(['server', ...mode, ...flags], {
    cwd: REPOSITORY,
    env: { HOME: home, TMPDIR: temporary, ...env },
  })
  await process.heard(READY)
  const address = /VAULT_ADDR='([^']+)'/.exec(process.out)?.[1] ?? ''
  return { process, address, home, temporary }
}

async function atFreePort(): Promise<string> {
  return `-dev-listen-address=127.0.0.1:${await freePort()}`
}

function field(text: string, name: string): string {
  return new RegExp(`^${name}: (\\S+)$`, 'm').exec(text)?.[1] ?? ''
}

test.each([
  ['over HTTP', [], 2],
  ['over TLS', ['-dev-tls'], 3],
] as const)(
  '%s, it prints what to export, and three commands that work when pasted',
  async (_name, flags, exported) => {
    const dev = await startDev([await atFreePort(), ...flags])
    const { out } = dev.process
    expect(Buffer.from(field(out, 'Unseal Key'), 'base64')).toHaveLength(32)
    const token = field(out, 'Root Token')
    expect(token).toMatch(/^hvs\./)

    const exports = [...out.matchAll(/^ {4}\$ (export .+)$/gm)].map(([, line = '']) => line)
    const commands = [...out.matchAll(/^ {4}([a-z].+)$/gm)].map(([, line = '']) => line)
    expect(exports).toHaveLength(exported)
    expect(commands).toHaveLength(3)
    const paste = (command: string): Promise<{ stdout: string }> =>
      promisify(execFile)('sh', ['-ec', [...exports, command].join('\n')], {
        cwd: REPOSITORY,
        env: { PATH: globalThis.process.env['PATH'], HOME: '/dev/null/home' },
      })
    const [write = '', read = '', get = ''] = commands
    expect((await paste(write)).stdout).toContain('"version":1')
    expect((await paste(read)).stdout).toContain('"data":{"password":"s3cr3t"}')
    expect((await paste(get)).stdout).toMatch(/^password\s+s3cr3t$/m)
  },
)

test('the command line is logged in at once, and the key seals and unseals it', async () => {
  const dev = await startDev([await atFreePort()])
  const env = { VAULT_ADDR: dev.address, HOME: dev.home }
  const file = join(dev.home, '.vault-token')
  expect(readFileSync(file, 'utf8')).toBe(field(dev.process.out, 'Root Token'))
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(await run(['kv', 'put', 'secret/a', 'b=c'], { env })).toMatchObject({ code: 0 })
  expect(await run(['operator', 'seal'], { env })).toMatchObject({ code: 0 })
  expect(await run(['kv', 'get', 'secret/a'], { env })).toMatchObject({ code: 2 })
  const key = field(dev.process.out, 'Unseal Key')
  expect(await run(['operator', 'unseal', key], { env })).toMatchObject({ code: 0 })
  const got = await run(['kv', 'get', '-field=b', 'secret/a'], { env })
  expect(got).toMatchObject({ code: 0, out: 'c' })
})

test('an audit file may lie below the folder for temporary files', async () => {
  const dev = await startDev([await atFreePort()])
  const env = { VAULT_ADDR: dev.address, HOME: dev.home }
  const log = join(dev.temporary, 'audit.log')
  const enabled = await run(['audit', 'enable', 'file', `file_path=${log}`], { env })
  expect(enabled).toMatchObject({ code: 0 })
  await run(['token', 'lookup'], { env })
  expect(readFileSync(log, 'utf8')).toContain('"path":"auth/token/lookup-self"')
})

test('with -dev-tls only who trusts its authority talks to it, and nobody without TLS', async () => {
  const folder = testFolder()
  const dev = await startDev(['-dev-tls', `-dev-tls-cert-dir=${folder}`, await atFreePort()])
  expect(dev.address).toMatch(/^https:/)
  const env = { VAULT_ADDR: dev.address, HOME: dev.home }
  const trusting = { ...env, VAULT_CACERT: join(folder, 'vault-ca.pem') }
  expect(await run(['status'], { env: trusting })).toMatchObject({ code: 0 })
  expect((await run(['status'], { env })).err).toContain('signed by unknown authority')
  const port = new URL(dev.address).port
  const second = [
    '-dev-tls',
    `-dev-tls-cert-dir=${folder}`,
    `-dev-listen-address=127.0.0.1:${port}`,
  ]
  expect(await run(['server', ...second])).toMatchObject({ code: 1 })
  expect(await run(['status'], { env: trusting })).toMatchObject({ code: 0 })
  const plain = { ...trusting, VAULT_ADDR: dev.address.replace('https', 'http') }
  expect((await run(['status'], { env: plain })).code).toBe(1)
})

test('the folder for the certificate is refused where it is none, or means nothing', async () => {
  const none = await run(['server', '-dev-tls', '-dev-tls-cert-dir=/nowhere'])
  expect([none.code, none.err]).toEqual([1, expect.stringContaining('/nowhere is none')])
  const file = await run(['server', '-dev-tls', '-dev-tls-cert-dir=/etc/hostname'])
  expect([file.code, file.err]).toEqual([1, expect.stringContaining('/etc/hostname is none')])
  const idle = await run(['server', '-dev', '-dev-tls-cert-dir=/tmp'])
  expect([idle.code, idle.err]).toEqual([1, expect.stringContaining('without -dev-tls')])
})

test('it forgets everything when it stops', async () => {
  const dev = await startDev([await atFreePort(), '-dev-tls'])
  expect(readdirSync(dev.temporary)).toHaveLength(1)
  dev.process.signal('SIGINT')
  expect(await dev.process.ended).toMatchObject({ code: 0 })
  expect(readdirSync(dev.temporary)).toEqual([])
})

describe('what it is told', () => {
  async function works(address: string, token: string): Promise<void> {
    const api = apiClient(address)
    expect((await api('GET', 'auth/token/lookup-self', { token })).status).toBe(200)
  }

  test('by flags', async () => {
    const port = await freePort()
    const dev = await startDev([
      '-dev-root-token-id=flag-token',
      `-dev-listen-address=127.0.0.1:${port}`,
      '-dev-no-store-token',
    ])
    expect(dev.address).toBe(`http://127.0.0.1:${port}`)
    expect(field(dev.process.out, 'Root Token')).toBe('flag-token')
    await works(dev.address, 'flag-token')
    expect(existsSync(join(dev.home, '.vault-token'))).toBe(false)
  })

  test.each(['VAULT', 'BAO', 'KEYHOLD'])('by %s_… in the environment', async (prefix) => {
    const port = await freePort()
    const dev = await startDev([], {
      [`${prefix}_DEV_ROOT_TOKEN_ID`]: 'env-token',
      [`${prefix}_DEV_LISTEN_ADDRESS`]: `127.0.0.1:${port}`,
    })
    expect(dev.address).toBe(`http://127.0.0.1:${port}`)
    await works(dev.address, 'env-token')
  })

  test('a flag counts before the environment', async () => {
    const dev = await startDev([await atFreePort(), '-dev-root-token-id=flag-token'], {
      VAULT_DEV_ROOT_TOKEN_ID: 'env-token',
    })
    await works(dev.address, 'flag-token')
  })

  test.each([
    [['-dev-root-token-id=a b'], /-dev-root-token-id may have 1 to 256 letters/],
    [['-dev-root-token-id='], /-dev-root-token-id may have 1 to 256 letters/],
    [['-dev-root-token-id=hvs.mine'], /-dev-root-token-id may have 1 to 256 letters/],
    [['-dev-listen-address=8200'], /-dev-listen-address must be host and port/],
    [['-dev-listen-address=127.0.0.1:99999'], /-dev-listen-address must be host and port/],
    [['-log-level=loud'], /the log level must be trace, debug/],
    [['-dev-root-tokn-id=x'], /unknown flag -dev-root-tokn-id; did you mean -dev-root-token-id\?/],
  ])('%s is refused with what would be right', async (flags, text) => {
    const ended = await run(['server', '-dev', ...flags])
    expect(ended.code).toBe(1)
    expect(ended.err).toMatch(text)
    expect(ended.err).toContain('hint: ')
  })
})

test('a port in use: the message says so and what to do, and nothing is left behind', async () => {
  const port = await atFreePort()
  await startDev([port])
  const temporary = testFolder()
  const second = await run(['server', '-dev', port], { env: { TMPDIR: temporary } })
  expect(second.code).toBe(1)
  expect(second.err).toMatch(/the listener address 127\.0\.0\.1:\d+ is already in use/)
  expect(second.err).toContain('hint: stop the program that uses it')
  expect(second.err).not.toContain('\n    at ')
  expect(readdirSync(temporary)).toEqual([])
})

test('a home that cannot be written is a warning', async () => {
  const dev = await startDev([await atFreePort()], { HOME: '/dev/null/home' })
  await dev.process.heard(/\[WARN\] .*was not written to \.vault-token/)
})

describe.each([
  ['vault', /^Vault v\d+\.\d+\.\d+ \(Keyhold v.+\)\n$/],
  ['bao', /^OpenBao v\d+\.\d+\.\d+\n$/],
])('started under the name %s', (name, version) => {
  test('it answers as that, and the commands of its banner are of that name', async () => {
    const dir = testFolder()
    const bin = namedBinary({ dir, name })
    const command = [join(bin, name)] as const
    for (const flag of ['-version', 'version', '--version', '-v']) {
      expect((await run([flag], { command })).out).toMatch(version)
    }
    const temporary = testFolder()
    const dev = start(['server', '-dev', '-dev-root-token-id=root', await atFreePort()], {
      command,
      env: { HOME: dir, TMPDIR: temporary },
    })
    await dev.heard(READY)
    expect(dev.out).toMatch(/^Unseal Key: /m)
    expect(dev.out).toContain(`    ${name} kv get secret/app\n`)
    const address = /VAULT_ADDR='([^']+)'/.exec(dev.out)?.[1] ?? ''
    const { stdout } = await promisify(execFile)('sh', ['-ec', `${name} kv put secret/app a=b`], {
      env: {
        PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
        HOME: dir,
        VAULT_ADDR: address,
        VAULT_TOKEN: 'root',
      },
    })
    expect(stdout).toMatch(/^version\s+1$/m)
  })
})
