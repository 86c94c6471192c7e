import { expect, test } from 'vitest'
import { memberOf } from '../../test/support/json.ts'
import { serveCluster } from './on-server.fixture.ts'

test('the key shares are replaced at sys/rotate/root, with verification', async () => {
  const { run, cluster } = await serveCluster({ nodes: 1 })
  const [share = ''] = cluster.unsealKeys
  const begun = await run('operator rotate-keys -init -verify -n=1 -t=1')
  expect(begun.out).toMatch(/Started +true\nProgress +0\/1\nNew Shares +1\n/)
  const [, nonce = ''] = /^Nonce +(\S+)$/m.exec(begun.out) ?? []

  const given = await run(`operator rotate-keys -nonce=${nonce} -`, { input: share })
  expect(given.out).toContain('not active yet')
  expect(given.err.replaceAll(/\s+/g, ' ')).toContain('keyhold operator rotate-keys -verify')
  const [, fresh = ''] = /^Key 1: (\S+)$/m.exec(given.out) ?? []
  const status = await run('operator rotate-keys -verify -status -format=json')
  const verification = String(memberOf(JSON.parse(status.out), 'nonce'))

  const verified = await run(`operator rotate-keys -verify -nonce=${verification} -`, {
    input: fresh,
  })
  expect(verified.out).toContain('Rotation verification successful.')
  expect((await run('operator rotate-keys -status')).out).toMatch(/Started +false/)
})

test('it speaks of a rotation', async () => {
  const { run } = await serveCluster({ nodes: 1 })
  const idle = await run('operator rotate-keys a-share')
  expect(idle.exitCode).toBe(1)
  expect(idle.err.replaceAll(/\s+/g, ' ')).toContain(
    'No rotation is in progress. Start a rotation process by running "keyhold operator rotate-keys -init".',
  )
  expect((await run('operator rotate-keys -cancel')).out).toBe(
    'Success! Canceled rotation (if it was started)\n',
  )
})
