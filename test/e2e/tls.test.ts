/**
 * The life of a server as its operators live it: over TLS, with the command line, unsealed by three of five people.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { missingProgram } from '../support/outside.ts'
import { makeAuthority, type Authority } from './certificates.ts'
import { run, start, testFolder, type Ended, type KeyholdProcess } from './keyhold-process.ts'
import { memberOf, parseObject } from '../support/json.ts'

const withoutOpenssl = missingProgram('openssl', ['version'], 'openssl')

interface TlsServer {
  readonly dir: string
  readonly port: number
  readonly authority: Authority
  readonly config: string
  /** A command of a person at a terminal of their own. */
  type(command: string, more?: { input?: string; token?: string }): Promise<Ended>
  launch(): Promise<KeyholdProcess>
}

async function prepare(moreTls: readonly string[] = []): Promise<TlsServer> {
  const dir = testFolder()
  const authority = makeAuthority(dir)
  const { cert, key } = authority.issue('server')
  const port = await freePort()
  const config = join(dir, 'server.hcl')
  writeFileSync(
    config,
    `
storage "sqlite" {
  path = "${dir}/keyhold.db"
}
listener "tcp" {
  address       = "127.0.0.1:${port}"
  tls_cert_file = "${cert}"
  tls_key_file  = "${key}"
  ${moreTls.join('\n  ')}
}
audit_directory = "${dir}"
`,
  )
  const env = {
    VAULT_ADDR: `https://127.0.0.1:${port}`,
    VAULT_CACERT: authority.cert,
    VAULT_MAX_RETRIES: '0',
    HOME: dir,
  }
  return {
    dir,
    port,
    authority,
    config,
    type: (command, { input = '', token } = {}) =>
      run(command.split(' '), {
        input,
        env: { ...env, ...(token !== undefined && { VAULT_TOKEN: token }) },
      }),
    async launch() {
      const server = start(['server', `-config=${config}`], { cwd: dir })
      await server.heard(/server started!/)
      return server
    },
  }
}

interface InitOutput {
  readonly shares: readonly string[]
  readonly rootToken: string
}

/** What a person copies from the terminal. */
function readInit({ out }: Ended): InitOutput {
  const shares = [...out.matchAll(/^Unseal Key \d: (\S+)$/gm)].map(([, share = '']) => share)
  const rootToken = /^Initial Root Token: (\S+)$/m.exec(out)?.[1] ?? ''
  return { shares, rootToken }
}

function give(server: TlsServer, share = ''): Promise<Ended> {
  return server.type('operator unseal', { input: `${share}\n` })
}

async function progressOf(server: TlsServer): Promise<string> {
  const { out } = await server.type('status')
  return /^Unseal Progress\s+(\S+)$/m.exec(out)?.[1] ?? 'none'
}

describe.skipIf(withoutOpenssl)('over TLS', () => {
  test('init, three people, secrets, audit, seal, restart: all is there again', async () => {
    const server = await prepare()
    let running = await server.launch()
    expect(running.out).toContain(`Listener 1: https://127.0.0.1:${server.port}`)

    const before = await server.type('status')
    expect(before.code).toBe(2)
    expect(before.out).toMatch(/^Initialized\s+false$/m)

    const init = await server.type('operator init -key-shares=5 -key-threshold=3')
    expect(init.code).toBe(0)
    const { shares, rootToken } = readInit(init)
    expect(shares).toHaveLength(5)
    expect((await server.type('operator init')).err).toContain('Vault is already initialized')

    expect((await server.type('kv get secret/app', { token: rootToken })).err).toContain(
      'Vault is sealed',
    )
    const first = await give(server, shares[0])
    expect(first.code).toBe(0)
    expect(first.out).toContain('Unseal Key (will be hidden): ')
    expect(first.out + first.err).not.toContain(shares[0])
    expect(await progressOf(server)).toBe('1/3')
    expect((await give(server, shares[4])).out).toMatch(/^Unseal Progress\s+2\/3$/m)
    const third = await give(server, shares[2])
    expect(third.code).toBe(0)
    expect(third.out).toMatch(/^Sealed\s+false$/m)
    expect((await server.type('status')).code).toBe(0)

    const wrong = await server.type('login -', { input: 'hvs.wrong' })
    expect(wrong.code).toBe(2)
    expect(wrong.err).toContain('permission denied')
    const login = await server.type('login -', { input: rootToken })
    expect(login).toMatchObject({ code: 0 })
    expect(readFileSync(join(server.dir, '.vault-token'), 'utf8')).toBe(rootToken)

    const log = join(server.dir, 'audit.log')
    expect(await server.type(`audit enable file file_path=${log}`)).toMatchObject({ code: 0 })
    expect(await server.type('secrets enable -path=secret -version=2 kv')).toMatchObject({
      code: 0,
    })
    expect(await server.type('kv put secret/app password=s3cr3t-value')).toMatchObject({ code: 0 })
    const got = await server.type('kv get -field=password secret/app')
    expect(got).toMatchObject({ code: 0, out: 's3cr3t-value' })

    const entries = () => readFileSync(log, 'utf8').trimEnd().split('\n').map(parseObject)
    const ofRequest = (entry: unknown, name: string) => String(memberOf(entry, 'request', name))
    const requests = entries().filter(({ type }) => type === 'request')
    expect(
      requests.map((one) => `${ofRequest(one, 'operation')} ${ofRequest(one, 'path')}`),
    ).toEqual([
      'update sys/audit/test',
      'update sys/mounts/secret',
      'read sys/internal/ui/mounts/secret/app',
      'create secret/data/app',
      'read sys/internal/ui/mounts/secret/app',
      'read secret/data/app',
    ])
    expect(entries().filter(({ type }) => type === 'response')).toHaveLength(requests.length)
    expect(readFileSync(log, 'utf8')).not.toMatch(/s3cr3t-value/)
    expect(readFileSync(log, 'utf8')).not.toContain(rootToken)

    const sealed = await server.type('operator seal')
    expect(sealed).toMatchObject({ code: 0 })
    expect(sealed.out).toContain('is sealed')
    const status = await server.type('status')
    expect(status.code).toBe(2)
    expect(status.out).toMatch(/^Sealed\s+true$/m)
    expect(ofRequest(entries().at(-1), 'path')).toBe('sys/seal')

    running.signal('SIGTERM')
    expect(await running.ended).toMatchObject({ code: 0 })
    running = await server.launch()
    expect((await server.type('kv get secret/app')).err).toContain('Vault is sealed')
    for (const share of shares.slice(1, 4)) expect((await give(server, share)).code).toBe(0)
    expect((await server.type('kv get -field=password secret/app')).out).toBe('s3cr3t-value')
    expect(ofRequest(entries().at(-1), 'path')).toBe('secret/data/app')
    for (const secret of [...shares, rootToken, 's3cr3t-value']) {
      expect(running.text).not.toContain(secret)
    }
  })

  test('shares that are wrong, given twice, or of another server', async () => {
    const [server, other] = await Promise.all([prepare(), prepare()])
    await Promise.all([server.launch(), other.launch()])
    const sharesOf = async (one: TlsServer) =>
      readInit(await one.type('operator init -key-shares=5 -key-threshold=3')).shares
    const [shares, foreign] = await Promise.all([sharesOf(server), sharesOf(other)])

    for (const text of ['not a share', 'AAAA', shares[0]?.slice(0, 20) ?? '']) {
      const refused = await give(server, text)
      expect(refused.code).toBe(2)
      expect(refused.err).toMatch(/Code: 400[^]*\* .*key/)
      expect(refused.err).toContain('look whether the share was copied whole')
      expect(refused.err).not.toContain(text)
    }
    expect(await progressOf(server)).toBe('0/3')
    const nothing = await server.type('operator unseal')
    expect(nothing.code).toBe(1)
    expect(nothing.err).toContain('is not a terminal')

    await give(server, shares[0])
    const twice = await give(server, shares[0])
    expect(twice.code).toBe(0)
    expect(twice.out).toMatch(/^Unseal Progress\s+1\/3$/m)
    expect(twice.err).toContain('This share was given before: nothing has changed.')

    expect((await give(server, shares[1])).err).not.toContain('given before')
    const strange = await give(server, foreign[2])
    expect(strange.code).toBe(2)
    expect(strange.err).toContain('all must be given again, from the first')
    expect(await progressOf(server)).toBe('0/3')

    await give(server, shares[3])
    const reset = await server.type('operator unseal -reset')
    expect(reset.code).toBe(0)
    expect(reset.out).toMatch(/^Unseal Progress\s+0\/3$/m)

    for (const share of shares.slice(0, 3)) await give(server, share)
    expect((await server.type('status')).code).toBe(0)
  })

  test('a client without the authority, or with plain HTTP, is told what to do', async () => {
    const server = await prepare()
    await server.launch()
    const address = `127.0.0.1:${server.port}`
    const untrusting = await run(['status'], {
      env: { VAULT_ADDR: `https://${address}`, VAULT_MAX_RETRIES: '0' },
    })
    expect(untrusting.code).toBe(1)
    expect(untrusting.err).toContain('certificate signed by unknown authority')
    expect(untrusting.err).toContain('hint: name the file of the certificate authority')
    const plain = await run(['status'], {
      env: { VAULT_ADDR: `http://${address}`, VAULT_MAX_RETRIES: '0' },
    })
    expect(plain.code).toBe(1)
  })

  test('SIGHUP: a new certificate is served, a broken one leaves the old in use', async () => {
    const server = await prepare()
    const running = await server.launch()
    const used = join(server.dir, 'server.crt')
    const first = await serialServed(server)

    const next = server.authority.issue('next')
    copyFileSync(next.cert, used)
    copyFileSync(next.key, join(server.dir, 'server.key'))
    expect(await serialServed(server)).toBe(first)
    running.signal('SIGHUP')
    await running.heard(/core: reloaded/)
    const second = await serialServed(server)
    expect(second).not.toBe(first)

    writeFileSync(used, 'no certificate')
    running.signal('SIGHUP')
    await running.heard(/listener: the old certificate stays in use.*holds no certificate/)
    await running.heard(/core: reloaded/, 2)
    expect(running.err).not.toMatch(/\\n {4}at /)
    expect(await serialServed(server)).toBe(second)

    copyFileSync(next.cert, used)
    copyFileSync(server.authority.issue('other').key, join(server.dir, 'server.key'))
    running.signal('SIGHUP')
    await running.heard(/the old certificate stays in use.*does not belong to the first cert/)
    expect(await serialServed(server)).toBe(second)
  })

  test('TLS 1.2 and 1.3 are spoken; with a minimum of 1.3 that alone', async () => {
    const both = await prepare()
    await both.launch()
    expect(await versionSpoken(both, 'TLSv1.2')).toBe('TLSv1.2')
    expect(await versionSpoken(both, 'TLSv1.3')).toBe('TLSv1.3')
    const newest = await prepare(['tls_min_version = "tls13"'])
    await newest.launch()
    expect(await versionSpoken(newest, 'TLSv1.2')).toBe('refused')
    expect(await versionSpoken(newest, 'TLSv1.3')).toBe('TLSv1.3')
  })

  test('where client certificates are required, who has none gets no answer', async () => {
    const dir = testFolder()
    const clients = makeAuthority(dir)
    const server = await prepare([
      `tls_client_ca_file = "${clients.cert}"`,
      'tls_require_and_verify_client_cert = true',
    ])
    await server.launch()
    expect((await server.type('status')).code).toBe(1)
    const { cert, key } = clients.issue('ann')
    const known = await server.type(`status -client-cert=${cert} -client-key=${key}`)
    expect(known).toMatchObject({ code: 2 })
    expect(known.out).toMatch(/^Sealed\s+true$/m)
  })
})

function socketTo({ port, authority }: TlsServer, more: object): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const ca = readFileSync(authority.cert)
    const socket = connect({ host: '127.0.0.1', port, ca, ...more })
    onTestFinished(() => void socket.destroy())
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', reject)
  })
}

async function serialServed(server: TlsServer): Promise<string> {
  const socket = await socketTo(server, {})
  return socket.getPeerCertificate().serialNumber
}

async function versionSpoken(server: TlsServer, version: string): Promise<string | null> {
  try {
    const socket = await socketTo(server, { minVersion: version, maxVersion: version })
    return socket.getProtocol()
  } catch {
    return 'refused'
  }
}
