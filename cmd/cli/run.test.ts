import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { programNamed } from './program.ts'
import { runCommandLine } from './run.ts'
import { fakeTerminal } from './terminal.fixture.ts'

/** What the server answers to `GET /v1/sys/mounts`: a status and a body; without an entry: 404. */
type Answers = Readonly<Record<string, readonly [number, unknown]>>

let home: string
let server: Server | undefined
let requests: string[]
let wrapTtls: unknown[]
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'keyhold-run-'))
  requests = []
  wrapTtls = []
})
afterEach(() => {
  server?.close()
  rmSync(home, { recursive: true })
})

async function serve(answers: Answers): Promise<string> {
  server?.close()
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      wrapTtls.push(request.headers['x-vault-wrap-ttl'])
      const line = `${request.method} ${request.url}`
      requests.push(`${line} ${Buffer.concat(chunks).toString('utf8')}`.trim())
      const [status, body] = answers[line] ?? [404, { errors: [] }]
      response.writeHead(status).end(status === 204 ? undefined : JSON.stringify(body))
    })
  })
  const listening = server
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const bound = listening.address()
  return `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`
}

interface Situation {
  readonly answers?: Answers
  readonly as?: 'keyhold' | 'vault' | 'bao'
  readonly env?: Record<string, string>
  readonly input?: string
  readonly hiddenLine?: string
  readonly isTerminal?: boolean
}

async function run(args: string, situation: Situation = {}) {
  const { answers = {}, as = 'bao', env = {}, ...rest } = situation
  const address = await serve(answers)
  const terminal = fakeTerminal({
    env: { VAULT_ADDR: address, VAULT_TOKEN: 'hvs.root-token', ...env },
    home,
    ...rest,
  })
  const exitCode = await runCommandLine(args.split(' '), terminal, programNamed(as))
  return { exitCode, ...terminal.written }
}

const SEALED = {
  type: 'shamir',
  initialized: true,
  sealed: true,
  t: 3,
  n: 5,
  progress: 1,
  nonce: 'x',
}
const OPEN = { ...SEALED, sealed: false, progress: 0, nonce: '' }
const LEADER = { 'GET /v1/sys/leader': [200, { ha_enabled: false }] } as const

const ROOT_ATTEMPT = {
  nonce: 'n-1',
  started: true,
  progress: 0,
  required: 2,
  complete: false,
  encoded_token: '',
  encoded_root_token: '',
  pgp_fingerprint: '',
  otp: '',
  otp_length: 28,
}
const RUNNING = { 'GET /v1/sys/generate-root/attempt': [200, ROOT_ATTEMPT] } as const

describe('operator generate-root', () => {
  test('-init shows the one-time password and what the next holder runs', async () => {
    const answers = {
      'PUT /v1/sys/generate-root/attempt': [200, { ...ROOT_ATTEMPT, otp: 'secret-otp' }],
    } as const
    const { exitCode, out, err } = await run('operator generate-root -init', {
      answers,
      as: 'keyhold',
    })
    expect(exitCode).toBe(0)
    expect(out).toContain('OTP           secret-otp')
    expect(err.replaceAll(/\s+/g, ' ')).toContain(
      '2 more key shares are needed. The next holder compares the nonce and runs: keyhold operator generate-root',
    )
  })

  test('a share is asked for in secret, and given to the attempt that runs', async () => {
    const answers = {
      ...RUNNING,
      'PUT /v1/sys/generate-root/update': [200, { ...ROOT_ATTEMPT, progress: 1, otp_length: 0 }],
    } as const
    const { exitCode, out } = await run('operator generate-root', {
      answers,
      hiddenLine: ' a-share ',
    })
    expect([exitCode, out]).toEqual([0, expect.stringContaining('Progress    1/2')])
    expect(out).toContain('Operation nonce: n-1')
    expect(requests).toContain('PUT /v1/sys/generate-root/update {"key":"a-share","nonce":"n-1"}')
  })

  test('a share that is piped or typed as an argument needs the nonce', async () => {
    for (const word of ['-', 'a-share']) {
      const { exitCode, err } = await run(`operator generate-root ${word}`, {
        answers: RUNNING,
        input: 'a-share\n',
      })
      expect([word, exitCode, err]).toEqual([word, 1, expect.stringContaining('Missing nonce')])
    }
    const answers = {
      ...RUNNING,
      'PUT /v1/sys/generate-root/update': [200, { ...ROOT_ATTEMPT, progress: 1 }],
    } as const
    await run('operator generate-root -nonce=n-1 -', { answers, input: 'a-share\n' })
    expect(requests).toContain('PUT /v1/sys/generate-root/update {"key":"a-share","nonce":"n-1"}')
  })

  test('the last share shows the encoded token, and how it is decoded', async () => {
    const done = { ...ROOT_ATTEMPT, progress: 2, complete: true, encoded_token: 'CwcZ' }
    const answers = { ...RUNNING, 'PUT /v1/sys/generate-root/update': [200, done] } as const
    const given = await run('operator generate-root', {
      answers,
      as: 'keyhold',
      hiddenLine: 'a-share',
    })
    expect(given.err.replaceAll(/\s+/g, ' ')).toContain('-decode=CwcZ -otp=PASSWORD')
    expect(await run('operator generate-root -decode=CwcZ -otp=abc')).toMatchObject({
      exitCode: 0,
      out: 'jez',
    })
    const short = await run('operator generate-root -decode=CwcZ -otp=ab')
    expect([short.exitCode, short.err]).toEqual([
      1,
      expect.stringContaining('they do not belong together'),
    ])
  })

  test('who may not take part is told what opens it to everybody', async () => {
    const { exitCode, err } = await run('operator generate-root -init', {
      answers: { 'PUT /v1/sys/generate-root/attempt': [403, { errors: ['permission denied'] }] },
      as: 'keyhold',
    })
    expect([exitCode, err]).toEqual([
      2,
      expect.stringContaining('disable_unauthed_generate_root_endpoints'),
    ])
  })

  test('a token that was encrypted to a PGP key is read by it', async () => {
    const done = { ...ROOT_ATTEMPT, complete: true, encoded_token: 'wV4=', pgp_fingerprint: 'f1' }
    const { err } = await run('operator generate-root', {
      answers: { ...RUNNING, 'PUT /v1/sys/generate-root/update': [200, done] },
      as: 'keyhold',
      hiddenLine: 'a-share',
    })
    expect(err.replaceAll(/\s+/g, ' ')).toContain('echo wV4= | base64 -d | gpg -d')
  })

  test('where none runs, a share is not asked for', async () => {
    const idle = { ...ROOT_ATTEMPT, started: false, nonce: '' }
    const { exitCode, err } = await run('operator generate-root', {
      answers: { 'GET /v1/sys/generate-root/attempt': [200, idle] },
      hiddenLine: 'a-share',
    })
    const advice = 'Start a root generation by running "bao operator generate-root -init".'
    expect([exitCode, err.replaceAll(/\s+/g, ' ')]).toEqual([1, expect.stringContaining(advice)])
    expect(requests).toHaveLength(1)
  })
})

const REKEY = {
  nonce: 'n-1',
  started: true,
  t: 2,
  n: 3,
  progress: 0,
  required: 1,
  pgp_fingerprints: null,
  backup: false,
  verification_required: true,
}
const VERIFYING = { nonce: 'v-1', started: true, t: 2, n: 3, progress: 1 }

describe('operator rekey', () => {
  test('-init sends how many shares and whether they are verified, and says who goes on', async () => {
    const answers = { 'PUT /v1/sys/rekey/init': [200, REKEY] } as const
    const command = 'operator rekey -init -verify -key-shares=3 -key-threshold=2'
    const { out, err } = await run(command, { answers, as: 'keyhold' })
    expect(requests[0]).toContain(
      '{"backup":false,"pgp_keys":null,"require_verification":true,"secret_shares":3,"secret_threshold":2}',
    )
    expect(out).toContain('Progress                 0/1')
    expect(out).not.toContain('PGP')
    expect(err.replaceAll(/\s+/g, ' ')).toContain(
      '1 more of the present shares is needed. The next holder compares the nonce and runs: keyhold operator rekey',
    )
  })

  test('-init without -verify warns', async () => {
    const answers = { 'PUT /v1/sys/rekey/init': [200, REKEY] } as const
    const { err } = await run('operator rekey -init', { answers })
    expect(err).toContain('begin again with -verify')
  })

  test('the last share shows the new ones, and that they are not active before they are verified', async () => {
    const done = {
      nonce: 'n-1',
      complete: true,
      keys: ['aa', 'bb'],
      keys_base64: ['qg==', 'uw=='],
      verification_required: true,
      verification_nonce: 'v-1',
    }
    const answers = {
      'GET /v1/sys/rekey/init': [200, REKEY],
      'PUT /v1/sys/rekey/update': [200, done],
    } as const
    const { exitCode, out, err } = await run('operator rekey', {
      answers,
      as: 'keyhold',
      hiddenLine: 'a-share',
    })
    expect(exitCode).toBe(0)
    expect(requests).toContain('PUT /v1/sys/rekey/update {"key":"a-share","nonce":"n-1"}')
    expect(out).toContain('Key 1: qg==\nKey 2: uw==\n')
    expect(out.replaceAll(/\s+/g, ' ')).toContain('not active yet: keep the present ones')
    expect(err.replaceAll(/\s+/g, ' ')).toContain(
      'with the nonce v-1: keyhold operator rekey -verify',
    )
  })

  test('shares that were encrypted are shown with the fingerprint of whose they are', async () => {
    const done = {
      complete: true,
      keys: ['aa', 'bb'],
      keys_base64: ['qg==', 'uw=='],
      pgp_fingerprints: ['f1', 'f2'],
    }
    const answers = {
      'GET /v1/sys/rekey/init': [200, REKEY],
      'PUT /v1/sys/rekey/update': [200, done],
    } as const
    const { out } = await run('operator rekey', { answers, hiddenLine: 'a-share' })
    expect(out).toContain('Key 1 fingerprint: f1; value: qg==\nKey 2 fingerprint: f2; value: uw==')
  })

  test('what the server keeps of them can be shown, and deleted', async () => {
    const data = { nonce: 'n-1', keys: { f1: ['aa'] }, keys_base64: { f1: ['qg=='] } }
    const shown = await run('operator rekey -backup-retrieve', {
      answers: { 'GET /v1/sys/rekey/backup': [200, { data }] },
    })
    expect(shown.out).toContain('f1')
    const deleted = await run('operator rekey -backup-delete', {
      answers: { 'DELETE /v1/sys/rekey/backup': [204, undefined] },
    })
    expect(deleted.out).toContain('Success!')
  })

  test('-verify gives new shares back, until they are active', async () => {
    const status = { 'GET /v1/sys/rekey/verify': [200, VERIFYING] } as const
    const more = await run('operator rekey -verify', {
      answers: { ...status, 'PUT /v1/sys/rekey/verify': [200, VERIFYING] },
      hiddenLine: 'new-share',
    })
    expect(requests).toContain('PUT /v1/sys/rekey/verify {"key":"new-share","nonce":"v-1"}')
    expect(more.out).toContain('Verification Progress    1/2')
    const last = await run('operator rekey -verify', {
      answers: { ...status, 'PUT /v1/sys/rekey/verify': [200, { nonce: 'v-1', complete: true }] },
      hiddenLine: 'new-share',
    })
    expect(last.out.replaceAll(/\s+/g, ' ')).toContain('the new keys are now active')
  })

  test('-cancel ends the ceremony that the nonce names, or with -verify only its verification', async () => {
    await run('operator rekey -cancel -nonce=n-1', {
      answers: { 'DELETE /v1/sys/rekey/init?nonce=n-1': [204, undefined] },
    })
    expect(requests).toEqual(['DELETE /v1/sys/rekey/init?nonce=n-1'])
    const { out } = await run('operator rekey -cancel -verify', {
      answers: { 'DELETE /v1/sys/rekey/verify': [200, VERIFYING] },
    })
    expect(out).toContain('Success!')
  })

  test.each([
    ['operator rekey -target=moon -status', 'Unknown target: moon'],
    ['operator rekey a-share', 'Missing nonce value'],
    ['operator rekey -pgp-keys=/nowhere -init', 'cannot be read'],
  ])('%s is refused', async (command, text) => {
    const { exitCode, err } = await run(command, {
      answers: { 'GET /v1/sys/rekey/init': [200, REKEY] },
    })
    expect([exitCode, err]).toEqual([1, expect.stringContaining(text)])
  })
})

describe('audit enable', () => {
  const answers = { 'PUT /v1/sys/audit/file': [204, {}] } as const

  test.each(['keyhold', 'vault'] as const)(
    'as %s warns on standard error of a mode that no audit file gets',
    async (as) => {
      const { out, err } = await run('audit enable file file_path=/l/a mode=0777', { answers, as })
      expect(out).toBe('Success! Enabled the file audit device at: file/\n')
      expect(err).toMatch(/^WARNING! the audit file gets the mode 0666: /)
    },
  )

  test('has nothing to say of another mode', async () => {
    expect(await run('audit enable file file_path=/l/a mode=0640', { answers })).toMatchObject({
      exitCode: 0,
      err: '',
    })
  })
})

test('audit enable with a chain shows the public key, and audit list has it', async () => {
  const device = { type: 'file', options: { chain: 'true' }, chain_public_key: 'the-key' }
  const answers = {
    'PUT /v1/sys/audit/file': [204, {}],
    'GET /v1/sys/audit': [200, { data: { 'file/': device } }],
  } as const

  const enabled = await run('audit enable file file_path=/l/a chain=true', { answers })
  const listed = await run('audit list -format=json', { answers })

  expect(enabled.out.trimEnd()).toMatch(/ public key, to be kept elsewhere: the-key$/)
  expect(listed.out).toContain('"chain_public_key": "the-key"')
})

describe('a command line', () => {
  test('without a command that exists ends with 127 and the help', async () => {
    const { exitCode, err } = await run('nonsense')
    expect(exitCode).toBe(127)
    expect(err).toMatch(/^Usage: bao <command>/)
  })

  test('of a group without a command of it ends with 1 and the help of the group', async () => {
    const { exitCode, err } = await run('kv nonsense')
    expect(exitCode).toBe(1)
    expect(err).toMatch(/^Usage: bao kv <subcommand>/)
    expect(err).toContain('enable-versioning')
  })

  test('that asks for help gets it on standard output', async () => {
    const { exitCode, out } = await run('kv get -h')
    expect(exitCode).toBe(0)
    expect(out).toMatch(/^Usage: bao kv get \[options\] KEY\n/)
    expect(out).toContain('-version=<int>')
    expect(out).toContain('bao kv get secret/app')
    expect(out).not.toContain('%p')
  })

  test('with an unknown format is refused before anything is sent', async () => {
    expect(await run('read -format=zz x')).toMatchObject({
      exitCode: 1,
      err: 'Invalid output format: zz\n',
    })
    expect(requests).toEqual([])
  })

  test('takes what follows -- for data, though it looks like a flag', async () => {
    const answers: Answers = { 'PUT /v1/secret/x': [204, undefined] }
    const { exitCode } = await run('write -- secret/x -format=zz -h=1', { answers })
    expect(exitCode).toBe(0)
    expect(requests).toEqual(['PUT /v1/secret/x {"-format":"zz","-h":"1"}'])
  })

  test('takes flags behind the words where no data follows them', async () => {
    const answers: Answers = { 'GET /v1/sys/policies/acl/app': [200, { data: { policy: 'x' } }] }
    const { exitCode, out } = await run('policy read app -format=json', { answers })
    expect(exitCode).toBe(0)
    expect(JSON.parse(out)).toEqual({ policy: 'x' })
  })

  test('warns where a flag behind data is taken as data', async () => {
    const { err } = await run('write secret/x a=b -force', {
      answers: { 'PUT /v1/secret/x': [204, undefined] },
    })
    expect(err).toContain('-force')
  })

  test('never shows the token, whatever goes wrong', async () => {
    const answers: Answers = { 'GET /v1/sys/mounts': [403, { errors: ['permission denied'] }] }
    for (const args of [
      'secrets list',
      'read x',
      'token lookup',
      'kv get a/b',
      'read -output-curl-string x',
    ])
      expect(JSON.stringify(await run(args, { answers }))).not.toContain('hvs.root-token')
  })

  test('where nothing listens tells a person what to do, and a script only what happened', async () => {
    const env = { VAULT_ADDR: 'http://127.0.0.1:1' }
    const script = await run('secrets list', { env })
    expect(script).toMatchObject({ exitCode: 2, out: '' })
    expect(script.err).toMatch(/connection refused\n$/)
    expect((await run('secrets list', { env, isTerminal: true })).err).toContain(
      'hint: nothing listens',
    )
  })
})

describe('status', () => {
  test.each([
    [0, OPEN],
    [2, SEALED],
  ])('ends with %i by the seal', async (exitCode, seal) => {
    const answers: Answers = { 'GET /v1/sys/seal-status': [200, seal], ...LEADER }
    expect((await run('status', { answers })).exitCode).toBe(exitCode)
  })

  test('ends with 1 where the server does not answer', async () => {
    expect((await run('status', { env: { VAULT_ADDR: 'http://127.0.0.1:1' } })).exitCode).toBe(1)
  })
})

describe('operator unseal', () => {
  const answers = (seal: unknown): Answers => ({ 'PUT /v1/sys/unseal': [200, seal], ...LEADER })

  test('asks for the share without showing it, and says what is still missing', async () => {
    const { exitCode, out, err } = await run('operator unseal', {
      answers: answers({ ...SEALED, progress: 2 }),
      as: 'keyhold',
      hiddenLine: ' c2hhcmU= ',
      isTerminal: true,
    })
    expect(exitCode).toBe(0)
    expect(out).toContain('Unseal Progress    2/3')
    expect(out + err).not.toContain('c2hhcmU=')
    expect(err.replaceAll('\n', ' ')).toContain('2 of 3 shares given; 1 more share is needed')
    expect(requests.find((text) => text.startsWith('PUT'))).toContain('"key":"c2hhcmU="')
  })

  test('says that a share was given before, where it has changed nothing', async () => {
    const seal = { ...SEALED, progress: 1, nonce: '11111111-2222-3333-4444-555555555555' }
    const before: Answers = { 'GET /v1/sys/seal-status': [200, seal] }
    const again = { ...answers(seal), ...before }
    const { err } = await run('operator unseal key', { answers: again, as: 'keyhold' })
    expect(err).toContain('This share was given before')
    const next = { ...answers({ ...seal, progress: 2 }), ...before }
    const second = await run('operator unseal key', { answers: next, as: 'keyhold' })
    expect(second.err).not.toContain('given before')
  })

  test('says that nothing more is to be done once it is open', async () => {
    const { err } = await run('operator unseal key', { answers: answers(OPEN), as: 'keyhold' })
    expect(err).toContain('unsealed')
  })

  test('adds nothing to what scripts of bao and vault compare', async () => {
    for (const as of ['bao', 'vault'] as const)
      expect((await run('operator unseal key', { answers: answers(SEALED), as })).err).toBe('')
  })

  test('without a terminal and without input tells how else to give the share', async () => {
    const { exitCode, err } = await run('operator unseal')
    expect(exitCode).toBe(1)
    expect(err).toContain('provided as the first argument')
    expect(requests).toEqual([])
  })

  test('at a terminal whose input ends says so, and sends nothing', async () => {
    const { exitCode, err } = await run('operator unseal', { isTerminal: true })
    expect(exitCode).toBe(1)
    expect(err).toBe('The input ended before a key was given: type it, or give it as KEY.\n')
    expect(requests).toEqual([])
  })
})

describe('login', () => {
  const lookup: Answers = {
    'GET /v1/auth/token/lookup-self': [
      200,
      { data: { id: 'hvs.given', accessor: 'acc', policies: ['app'], ttl: 60, renewable: true } },
    ],
  }
  const stored = (): string => readFileSync(join(home, '.vault-token'), 'utf8')
  const env = { VAULT_TOKEN: '' }

  test('with a token asks the server about it and keeps it', async () => {
    const { exitCode, out } = await run('login hvs.given', { answers: lookup, env })
    expect(exitCode).toBe(0)
    expect(out).toContain('token_policies       ["app"]')
    expect(stored()).toBe('hvs.given')
  })

  test('at a terminal whose input ends says what was to be given', async () => {
    const { exitCode, err } = await run('login', { env, isTerminal: true })
    expect(exitCode).toBe(2)
    expect(err).toContain('the input ended before the token was given')
    expect(requests).toEqual([])
  })

  test('asks for the token where it was not given, and does not show it with -no-print', async () => {
    const { out, err } = await run('login -no-print', {
      answers: lookup,
      env,
      hiddenLine: 'hvs.given',
    })
    expect(out).toBe('')
    expect(err).toBe('Token (will be hidden): \n')
    expect(stored()).toBe('hvs.given')
  })

  test('by approle sends role and secret, the latter from standard input', async () => {
    const { out } = await run('login -method=approle -field=token role_id=r secret_id=-', {
      answers: { 'PUT /v1/auth/approle/login': [200, { auth: { client_token: 'hvs.new' } }] },
      env,
      input: 's3cret',
    })
    expect(requests).toEqual(['PUT /v1/auth/approle/login {"role_id":"r","secret_id":"s3cret"}'])
    expect(out).toBe('hvs.new')
    expect(stored()).toBe('hvs.new')
  })

  test('that fails keeps nothing', async () => {
    const { exitCode, err } = await run('login hvs.wrong', {
      answers: { 'GET /v1/auth/token/lookup-self': [403, { errors: ['permission denied'] }] },
      env,
    })
    expect(exitCode).toBe(2)
    expect(err).toMatch(/^Error authenticating: error looking up token: Error making API request/)
    expect(stored).toThrow()
  })

  test('warns where the environment would hide the new token', async () => {
    const { err } = await run('login hvs.given', { answers: lookup, as: 'vault' })
    expect(err).toContain('VAULT_TOKEN')
  })

  test('with an unknown method says where to look', async () => {
    expect((await run('login -method=nope')).err).toContain('"bao auth list"')
    expect((await run('login -method=constructor')).err).toContain('Unknown auth method')
  })
})

describe('kv', () => {
  const mounted = (version: string): Answers => ({
    'GET /v1/sys/internal/ui/mounts/kv/app': [200, { data: { path: 'kv/', options: { version } } }],
    'GET /v1/sys/internal/ui/mounts/kv': [200, { data: { path: 'kv/', options: { version } } }],
  })

  test('finds out the version of the engine, and reads where that keeps its data', async () => {
    const data = { user: 'ann' }
    const v2: Answers = {
      ...mounted('2'),
      'GET /v1/kv/data/app?version=3': [200, { request_id: 'r', data: { data, metadata: {} } }],
    }
    expect((await run('kv get -version=3 -field=user kv/app', { answers: v2 })).out).toBe('ann')
    const v1: Answers = { ...mounted('1'), 'GET /v1/kv/app': [200, { request_id: 'r', data }] }
    expect((await run('kv get -field=user -mount=kv app', { answers: v1 })).out).toBe('ann')
  })

  test('shows a field of the secret, not that of the answer with the same name', async () => {
    const data = { lease_id: 'mine', data: 'inner' }
    const answers: Answers = {
      ...mounted('2'),
      'GET /v1/kv/data/app': [200, { request_id: 'r', lease_id: 'theirs', data: { data } }],
    }
    expect((await run('kv get -field=lease_id kv/app', { answers })).out).toBe('mine')
    expect((await run('kv get -field=data kv/app', { answers })).out).toBe('inner')
  })

  test('shows the whole block for the field data, where the secret has none of that name', async () => {
    const answers: Answers = {
      ...mounted('2'),
      'GET /v1/kv/data/app': [200, { request_id: 'r', data: { data: { user: 'ann' } } }],
    }
    expect((await run('kv get -field=data kv/app', { answers })).out).toBe('map[user:ann]')
  })

  test('asks for the version of the engine even where the request is only shown', async () => {
    const { out } = await run('kv get -output-policy kv/app', { answers: mounted('2') })
    expect(out).toBe('path "kv/data/app" {\n  capabilities = ["read"]\n}\n')
    expect(requests).toEqual(['GET /v1/sys/internal/ui/mounts/kv/app'])
  })

  test('has the answer wrapped, but not that about the version of the engine', async () => {
    await run('kv get -wrap-ttl=1m kv/app', { answers: mounted('2') })
    expect(wrapTtls).toEqual([undefined, '60s'])
  })

  test('patch reads, merges and writes itself where the server or the policy cannot', async () => {
    const answers: Answers = {
      ...mounted('2'),
      'PATCH /v1/kv/data/app': [405, { errors: ['unsupported operation'] }],
      'GET /v1/kv/data/app': [
        200,
        { data: { data: { a: '1', b: '2' }, metadata: { version: 7 } } },
      ],
      'PUT /v1/kv/data/app': [200, { data: { version: 8 } }],
    }
    const { exitCode } = await run('kv patch -remove-data=b kv/app c=3', { answers })
    expect(exitCode).toBe(0)
    expect(requests.at(-1)).toBe(
      'PUT /v1/kv/data/app {"data":{"a":"1","c":"3"},"options":{"cas":7}}',
    )
  })

  test('rollback refuses a version that was deleted', async () => {
    const metadata = { version: 2, deletion_time: '2026-01-01T00:00:00Z' }
    const answers: Answers = {
      ...mounted('2'),
      'GET /v1/kv/data/app': [200, { data: { data: {}, metadata: { version: 3 } } }],
      'GET /v1/kv/data/app?version=2': [404, { data: { data: null, metadata } }],
    }
    expect(await run('kv rollback -version=2 kv/app', { answers })).toMatchObject({
      exitCode: 2,
      err: 'Cannot roll back to a version that has been deleted\n',
    })
  })
})

describe('answers', () => {
  test('that list nothing are {} with exit code 2 for a program, a sentence for a person', async () => {
    expect(await run('list -format=json x')).toEqual({ exitCode: 2, out: '{}\n', err: '' })
    expect(await run('list x')).toEqual({ exitCode: 2, out: '', err: 'No value found at x\n' })
  })

  test('of lists are shown with what the server tells of each, by flag or environment', async () => {
    const data = { keys: ['a'], key_info: { a: { owner: 'ann' } } }
    const answers: Answers = { 'GET /v1/x?list=true': [200, { request_id: 'r', data }] }
    const env = { VAULT_DETAILED: 'true' }
    expect((await run('list x', { answers })).out).not.toContain('ann')
    expect((await run('list -detailed x', { answers })).out).toMatch(/owner\n.*\na +ann\n$/)
    expect((await run('list x', { answers, env })).out).toMatch(/owner\n.*\na +ann\n$/)
    expect((await run('list -detailed=false x', { answers, env })).out).not.toContain('ann')
  })

  test('keep their numbers in every format', async () => {
    const data = { n: JSON.rawJSON('12345678901234567890'), ttl: 90 }
    const answers: Answers = { 'GET /v1/x': [200, { request_id: 'r', data }] }
    expect((await run('read -field=n x', { answers })).out).toBe('12345678901234567890')
    expect((await run('read -format=json x', { answers })).out).toContain('12345678901234567890,')
    expect((await run('read x', { answers })).out).toMatch(/ttl +1m30s\n$/)
  })

  test('carry the warnings of the server to standard error', async () => {
    const answers: Answers = {
      'GET /v1/x': [200, { request_id: 'r', data: { a: 'b' }, warnings: ['take care'] }],
    }
    const { err } = await run('read x', { answers, as: 'vault' })
    expect(err).toBe(
      'WARNING! The following warnings were returned from Vault:\n\n  * take care\n\n',
    )
  })

  test('of which one field is shown carry their warnings too', async () => {
    const answers: Answers = {
      'GET /v1/x': [200, { request_id: 'r', data: { a: 'b' }, warnings: ['take care'] }],
    }
    const { out, err } = await run('read -field=a x', { answers })
    expect([out, err]).toEqual(['b', expect.stringContaining('take care')])
  })

  test('of a refused write show what the server added', async () => {
    const answers: Answers = {
      'PUT /v1/kv/x': [404, { request_id: 'r', data: null, warnings: ['use kv put'] }],
    }
    const { exitCode, err } = await run('write kv/x a=b', { answers })
    expect(exitCode).toBe(2)
    expect(err).toMatch(/^Error writing data to kv\/x: [\s\S]*use kv put/)
  })
})
