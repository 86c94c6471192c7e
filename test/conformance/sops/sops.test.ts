/** SOPS, which keeps files of secrets in repositories: the command itself, whose data keys transit encrypts. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client } from '../../../clients/js/src/main.ts'
import { missing, missingProgram } from '../../support/outside.ts'
import { startDevServer, type RunningServer } from '../../support/server-process.ts'
import { buildGo } from '../go-build.ts'

const BUILD = {
  folder: import.meta.dirname,
  of: 'github.com/getsops/sops/v3/cmd/sops',
  // Without what Google's storage can do over gRPC: an eighth of what would be built.
  tags: 'disable_grpc_modules',
}
const POLICY = 'path "sops/+/app" { capabilities = ["update"] }'
/** One of each kind of file, as SOPS itself writes it. */
const FILES = [
  ['yaml', 'db:\n    user: app\n    password: s3cr3t\nports:\n    - 1\n    - 2\n'],
  ['json', '{\n\t"db": {\n\t\t"user": "app",\n\t\t"password": "s3cr3t"\n\t}\n}\n'],
  ['env', 'USER=app\nPASSWORD=s3cr3t\n'],
  ['ini', '[db]\nuser     = app\npassword = s3cr3t\n'],
  ['bin', '\u0000\u0001 s3cr3t'],
] as const

const skipReason = missingProgram('go', ['version'], 'Go 1.25 or newer')

describe.skipIf(skipReason !== undefined)(
  `SOPS 3.13.3${skipReason ? ` (${skipReason})` : ''}`,
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'keyhold-sops-'))
    const program = join(dir, 'sops')
    let unprepared: string | undefined
    let server: RunningServer
    let client: Client
    /** May encrypt and decrypt with the key, and nothing else. */
    let token = ''

    beforeAll(async () => {
      const why = await buildGo(BUILD, program)
      if (why !== undefined) unprepared = missing(`the modules of SOPS cannot be had: ${why}`)
      server = await startDevServer()
      client = new Client({ address: server.address, token: server.rootToken })
      await client.write('sys/mounts/sops', { type: 'transit' })
      await client.write('sops/keys/app')
      await client.write('sys/policies/acl/sops', { policy: POLICY })
      const made = await client.write('auth/token/create', { policies: ['sops'] })
      token = String(made?.auth?.token)
    })
    afterAll(async () => {
      await server.stop()
      rmSync(dir, { recursive: true, force: true })
    })

    async function sops(args: readonly string[], as = token): Promise<string> {
      const env = { PATH: process.env['PATH'], HOME: dir, VAULT_TOKEN: as }
      return new Promise((resolve, reject) => {
        execFile(program, args, { cwd: dir, env }, (error, stdout, stderr) =>
          error === null ? resolve(stdout) : reject(new Error(stderr)),
        )
      })
    }

    async function encrypted(kind: string, text: string): Promise<string> {
      const file = join(dir, `secrets.${kind}`)
      writeFileSync(file, text)
      const key = `${server.address}/v1/sops/keys/app`
      await sops(['encrypt', '--in-place', '--hc-vault-transit', key, file])
      return file
    }

    test.for(FILES)(
      'a file of the kind %s is encrypted and decrypted',
      async ([kind, text], { skip }) => {
        skip(unprepared !== undefined, unprepared)
        const file = await encrypted(kind, text)

        expect(readFileSync(file, 'utf8')).toContain('vault:v1:')
        expect(readFileSync(file, 'utf8')).not.toContain('s3cr3t')
        expect(await sops(['decrypt', file])).toBe(text)
      },
    )

    test('a rotated key decrypts older files, and encrypts the data keys of newer ones', async ({
      skip,
    }) => {
      skip(unprepared !== undefined, unprepared)
      const [kind, text] = FILES[0]
      const file = await encrypted(kind, text)

      await client.write('sops/keys/app/rotate')
      expect(await sops(['decrypt', file])).toBe(text)
      await sops(['rotate', '--in-place', file])

      expect(readFileSync(file, 'utf8')).toContain('vault:v2:')
      await client.write('sops/keys/app/config', { min_decryption_version: 2 })
      expect(await sops(['decrypt', file])).toBe(text)
    })

    test('a value is changed and read by itself', async ({ skip }) => {
      skip(unprepared !== undefined, unprepared)
      const file = await encrypted('yaml', FILES[0][1])

      await sops(['set', file, '["db"]["password"]', '"new"'])

      expect(await sops(['decrypt', '--extract', '["db"]["password"]', file])).toBe('new')
    })

    test('who may not decrypt with the key is told so, by status', async ({ skip }) => {
      skip(unprepared !== undefined, unprepared)
      const file = await encrypted('yaml', FILES[0][1])
      const other = await client.write('auth/token/create', { policies: ['default'] })

      await expect(sops(['decrypt', file], String(other?.auth?.token))).rejects.toThrow('Code: 403')
    })
  },
)
