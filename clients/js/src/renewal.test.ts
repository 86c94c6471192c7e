/** Renewal, with a server and a clock that the test moves. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Client } from './main.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** @param renewals what each renewal answers: seconds, or a status */
function keepAlive(ttl: number, renewals: readonly (number | Response)[], renewable = true) {
  let asked = 0
  const client = new Client({
    address: 'http://keyhold.example',
    token: 's.abc',
    fetch: async (url) => {
      if (url.endsWith('lookup-self')) return Response.json({ data: { ttl, renewable } })
      const answer = renewals[asked++]
      if (answer instanceof Response) return answer
      if (answer === undefined) throw new TypeError('fetch failed')
      const auth = { client_token: 's.abc', lease_duration: answer, renewable: true }
      return Response.json({ auth })
    },
  })
  return { renewal: client.keepAlive(), asked: () => asked }
}

test('a token is renewed between 60 % and 2/3 of its life, each time', async () => {
  const { renewal, asked } = keepAlive(900, [900, 900])

  await vi.advanceTimersByTimeAsync(539_000)
  expect(asked()).toBe(0)
  await vi.advanceTimersByTimeAsync(62_000)
  expect(asked()).toBe(1)
  await vi.advanceTimersByTimeAsync(601_000)
  expect(asked()).toBe(2)

  renewal.stop()
  expect(await renewal.ended).toEqual({ reason: 'stopped' })
})

test('a token that does not end needs no renewal', async () => {
  expect(await keepAlive(0, []).renewal.ended).toEqual({ reason: 'endless' })
})

test('a token that cannot be renewed is reported at once', async () => {
  const { renewal } = keepAlive(900, [], false)

  expect(await renewal.ended).toEqual({ reason: 'not renewable', ttlSeconds: 900 })
})

test('a token that has reached its longest life is reported, with the rest of it', async () => {
  const { renewal } = keepAlive(900, [250])

  await vi.advanceTimersByTimeAsync(601_000)

  expect(await renewal.ended).toEqual({ reason: 'longest life reached', ttlSeconds: 250 })
})

test('a refusal ends it', async () => {
  const refusal = Response.json({ errors: ['permission denied'] }, { status: 403 })
  const { renewal, asked } = keepAlive(900, [refusal, 900])

  await vi.advanceTimersByTimeAsync(601_000)

  expect(await renewal.ended).toMatchObject({ reason: 'failed', error: { status: 403 } })
  expect(asked()).toBe(1)
})

test('a server that is away for a while is asked again', async () => {
  const overloaded = Response.json({ errors: [] }, { status: 503 })
  const { renewal, asked } = keepAlive(900, [overloaded, 900])

  await vi.advanceTimersByTimeAsync(640_000)
  expect(asked()).toBe(2)

  renewal.stop()
  expect(await renewal.ended).toEqual({ reason: 'stopped' })
})

test('a server that stays away until the token has ended is reported', async () => {
  const { renewal } = keepAlive(900, [])

  await vi.advanceTimersByTimeAsync(901_000)

  expect(await renewal.ended).toMatchObject({ reason: 'failed', error: { name: 'NoAnswer' } })
})
