import { expect, test } from 'vitest'
import { FOREIGN_SHARE } from '../../core/ceremonies/sharing.fixture.ts'
import { serveCluster } from './on-server.fixture.ts'

/** A server that was initialised by the command line, and its shares. */
async function serve() {
  const served = await serveCluster({ bare: true, nodes: 1 })
  const holders = ['Ann', 'Bob', 'Cy'].map((name) => `-holder=${name}`)
  const init = ['operator', 'init', '-key-shares=3', '-key-threshold=2', ...holders]
  const made = await served.run(init, { token: '' })
  const keys = [...made.out.matchAll(/^Unseal Key \d \(for (\w+)\): (\S+)$/gm)]
  const keyOf = (name: string) => keys.find((match) => match[1] === name)?.[2] ?? ''
  const token = /Initial Root Token: (\S+)/.exec(made.out)?.[1] ?? ''
  for (const name of ['Ann', 'Bob'])
    await served.run(`operator unseal ${keyOf(name)}`, { token: '' })
  const run = (words: string, input = '') => served.run(words, { token, input })
  return { run, keyOf, keys }
}

test('operator init names who gets each share, and operator share check tells it again', async () => {
  const { run, keyOf, keys } = await serve()
  expect(keys).toHaveLength(3)
  const known = await run('operator share check -', `${keyOf('Bob')}\n`)
  expect(known).toMatchObject({ exitCode: 0 })
  expect(known.out).toContain(
    'In force: this share is one of those that unseal the server, that of Bob.',
  )
  const unknown = await run(`operator share check ${FOREIGN_SHARE}`)
  expect(unknown).toMatchObject({ exitCode: 2, out: expect.stringContaining('Not in force') })
  expect(unknown.err).toContain('What to do now')
  const data = await run(`operator share check -format=json ${keyOf('Ann')}`)
  expect(JSON.parse(data.out)).toEqual({ state: 'in_force', holder: 'Ann', pgp_fingerprint: '' })
})

test('operator drill goes from begin to result, and each step says what is next', async () => {
  const { run, keyOf } = await serve()
  const none = await run('operator drill')
  expect(none).toMatchObject({ exitCode: 1, err: expect.stringContaining('operator drill -init') })
  const begun = await run('operator drill -init')
  const nonce = /Nonce +(\S+)/.exec(begun.out)?.[1] ?? ''
  expect(begun.err).toContain('2 more shares are needed. The next holder compares the nonce')
  const first = await run(`operator drill -nonce=${nonce} ${keyOf('Cy')}`)
  expect(first.out).toMatch(/Progress +1\/2/)
  expect(first.out).toMatch(/Given By +Cy/)
  expect(first.err).toContain('1 more share is needed')
  const wrong = await run(`operator drill -nonce=${nonce} ${FOREIGN_SHARE}`)
  expect(wrong).toMatchObject({
    exitCode: 2,
    err: expect.stringContaining('none of the key shares'),
  })
  const last = await run(`operator drill -nonce=${nonce} -`, keyOf('Ann'))
  expect(last).toMatchObject({ exitCode: 0 })
  expect(last.out).toBe('The drill passed: these 2 shares unseal the server.\n')
  const status = await run('operator share status')
  expect(status.out).toMatch(/1 +Ann +none/)
  expect(status.out).toMatch(/Z +passed +Cy, Ann/)
})

test('operator share status advises a drill where there was none', async () => {
  const { run } = await serve()
  const { out, err } = await run('operator share status')
  expect(out).toMatch(/Key Shares +3\nThreshold +2\n/)
  expect(err.replaceAll(/\s+/g, ' ')).toContain('keyhold operator drill -init')
})
