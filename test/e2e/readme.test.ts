/**
 * The way that the README shows to a server of one's own, typed as it stands there: over TLS, with five shares, unsealed
 * by three persons, sealed, restarted. Only the port is another one, and what a person fills in is filled in.
 */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { namedBinary } from '../support/named-binary.ts'
import { missingProgram } from '../support/outside.ts'
import { blockAfter } from '../support/page.ts'
import { run, start, testFolder, type Ended, type KeyholdProcess } from './keyhold-process.ts'

const SEALED = 2
const withoutOpenssl = missingProgram('openssl', ['version'], 'openssl')

/** A terminal for each command, all in the folder that the README makes. */
async function newcomer() {
  const home = testFolder()
  const folder = join(home, 'keyhold')
  const port = String(await freePort())
  const bin = namedBinary({ dir: testFolder(), name: 'keyhold' })
  const options = { env: { HOME: home, PATH: `${bin}:${process.env['PATH'] ?? ''}` } }
  const shell = { ...options, command: ['bash', '-ec'] } as const
  const text = (words: string): string =>
    blockAfter('README.md', words, 'sh').replaceAll('8200', port).replaceAll('0.0.0.0', '127.0.0.1')
  const settings = text('**Make its keys**').split('\n')[0] ?? ''
  const type = (command: string, input = '', cwd = folder): Promise<Ended> =>
    run([`${settings}\n${command}`], { ...shell, cwd, input })
  return {
    text,
    /** In the folder where the one for the server is made. */
    typeAtHome: (words: string): Promise<Ended> => run([text(words)], { ...shell, cwd: home }),
    type,
    async launch(): Promise<KeyholdProcess> {
      const server = start([`exec ${text('**Start it**')}`], { ...shell, cwd: folder })
      await server.heard(/server started!/)
      return server
    },
    unseal: (share: string): Promise<Ended> => type(text('**Unseal it.**'), `${share}\n`),
  }
}

function cell(text: string, name: string): string {
  return new RegExp(`^${name}\\s+(\\S+)$`, 'm').exec(text)?.[1] ?? ''
}

describe.skipIf(withoutOpenssl !== undefined)('who follows the README', () => {
  test('gets from nothing to a server with secrets, which only three persons open', async () => {
    const me = await newcomer()
    expect(await me.typeAtHome('The server needs a folder')).toMatchObject({ code: 0 })
    expect(await me.type(me.text('Write its configuration'))).toMatchObject({ code: 0 })
    const first = await me.launch()

    const init = await me.type(me.text('**Make its keys**'))
    const shares = [...init.out.matchAll(/^Unseal Key \d: (\S+)$/gm)].map(([, one = '']) => one)
    const rootToken = /^Initial Root Token: (\S+)$/m.exec(init.out)?.[1] ?? ''
    expect(shares).toHaveLength(5)

    const [ann = '', , bert = '', , cora = ''] = shares
    expect((await me.unseal(ann)).out).toMatch(/^Unseal Progress\s+1\/3$/m)
    expect((await me.unseal(bert)).out).toMatch(/^Unseal Progress\s+2\/3$/m)
    expect((await me.unseal(cora)).out).toMatch(/^Sealed\s+false$/m)

    const stored = await me.type(me.text('**Log in**'), `${rootToken}\n`)
    expect(stored, stored.err).toMatchObject({ code: 0 })
    expect(stored.out).toMatch(/^password\s+s3cr3t$/m)
    const log = await me.type('cat log/audit.log')
    expect(log.out).toContain('"path":"secret/data/app"')
    expect(log.out).not.toContain('s3cr3t')

    const [prepare, login, get] = inThree(me.text('**Give a program'))
    const roleAndSecret = await me.type(prepare)
    expect(roleAndSecret, roleAndSecret.err).toMatchObject({ code: 0 })
    const { out: entered } = await me.type(
      login
        .replace('role_id=...', `role_id=${cell(roleAndSecret.out, 'role_id')}`)
        .replace('secret_id=...', `secret_id=${cell(roleAndSecret.out, 'secret_id')}`),
    )
    const own = `VAULT_TOKEN=${cell(entered, 'token')}`
    expect((await me.type(get.replace('VAULT_TOKEN=...', own))).out).toMatch(/^password\s+s3cr3t$/m)
    expect(await me.type(`${own} keyhold kv get secret/other`)).toMatchObject({ code: 2 })

    expect(await me.type(me.text('**Seal it**'))).toMatchObject({ code: 0 })
    expect(await me.type('keyhold status')).toMatchObject({ code: SEALED })
    first.signal('SIGTERM')
    expect(await first.ended).toMatchObject({ code: 0 })

    await me.launch()
    expect(await me.type('keyhold status')).toMatchObject({ code: SEALED })
    for (const share of shares.slice(1, 4)) await me.unseal(share)
    expect((await me.type('keyhold kv get secret/app')).out).toMatch(/^password\s+s3cr3t$/m)
  })
})

/** Before the last two lines, and those: they hold what a person fills in. */
function inThree(block: string): [before: string, login: string, get: string] {
  const lines = block.trimEnd().split('\n')
  return [lines.slice(0, -2).join('\n'), lines.at(-2) ?? '', lines.at(-1) ?? '']
}
