import { get, type IncomingMessage } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { Streamed } from '../plugin/response.ts'
import { DEFAULT_LIMITS } from './listener.ts'
import type { App } from './message.ts'
import { ManualClock } from './testing/manual-clock.ts'
import { closeListeners, startListener } from './testing/test-listener.ts'

afterEach(closeListeners)

/** A source that a test feeds, and that tells what became of it. */
function source() {
  const waiting: string[] = []
  let wake: () => void = () => undefined
  const seen = { asked: 0, ended: false }
  const body: Streamed = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        seen.asked += 1
        while (waiting.length === 0 && !seen.ended)
          await new Promise<void>((resolve) => (wake = resolve))
        const value = waiting.shift()
        return value === undefined ? { done: true, value } : { done: false, value }
      },
      return() {
        seen.ended = true
        wake()
        return Promise.resolve({ done: true, value: undefined })
      },
    }),
  }
  const say = (part: string): void => {
    waiting.push(part)
    wake()
  }
  const app: App = () => Promise.resolve({ status: 200, headers: {}, body })
  return { seen, say, app }
}

function open(port: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(`http://127.0.0.1:${port}/v1/x`, { agent: false }, resolve).on('error', reject)
  })
}

function next(answer: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    answer.resume()
    answer.once('data', (chunk: Buffer) => {
      answer.pause()
      resolve(chunk.toString('utf8'))
    })
  })
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await pause(5)
}

describe.each([
  ['straight to the application', false],
  ['through Hono', true],
] as const)('%s', (_name, viaHono) => {
  test('a streamed body is sent as it is made, its headers before the first part', async () => {
    const { app, say } = source()
    const { port } = await startListener({ viaHono }, app)
    const answer = await open(port)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-length']).toBeUndefined()
    expect(answer.headers['cache-control']).toBe('no-store')
    say('one\n')
    expect(await next(answer)).toBe('one\n')
    say('two\n')
    expect(await next(answer)).toBe('two\n')
    answer.destroy()
  })

  test('its source ends when the client goes', async () => {
    const { app, seen } = source()
    const { port, reported } = await startListener({ viaHono }, app)
    const answer = await open(port)
    answer.destroy()
    await until(() => seen.ended)
    expect(reported).toEqual([])
  })

  test('a reader that takes nothing is not written to without end', async () => {
    const { app, say, seen } = source()
    const { port } = await startListener({ viaHono }, app)
    const answer = await open(port)
    answer.pause()
    const parts = 200
    for (let i = 0; i < parts; i++) say('x'.repeat(1 << 20))
    await pause(200)
    expect(seen.asked).toBeLessThan(parts)
    answer.destroy()
    await until(() => seen.ended)
  })
})

test('the time of a request does not end it', async () => {
  const { app, say, seen } = source()
  const clock = new ManualClock()
  const { port } = await startListener({ limits: DEFAULT_LIMITS }, app, clock)
  const answer = await open(port)
  clock.advance(DEFAULT_LIMITS.maxRequestSeconds * 10_000)
  expect(seen.ended).toBe(false)
  say('still here\n')
  expect(await next(answer)).toBe('still here\n')
  answer.destroy()
})

test('a reader that takes nothing for long is cut off', async () => {
  const { app, say, seen } = source()
  const clock = new ManualClock()
  const { port } = await startListener({}, app, clock)
  const answer = await open(port)
  answer.pause()
  answer.on('error', () => undefined)
  for (let i = 0; i < 200; i++) say('x'.repeat(1 << 20))
  await pause(200)
  expect(seen.ended).toBe(false)
  clock.advance(31_000)
  await until(() => seen.ended)
})

test('a listener that stops ends it, and does not wait', async () => {
  const { app, seen } = source()
  const { port, listener } = await startListener({}, app)
  const answer = await open(port)
  answer.resume()
  answer.on('error', () => undefined)
  await listener.stop(60_000)
  await until(() => seen.ended)
})

test('a source that fails is reported, and the answer is cut off: it is not whole', async () => {
  const body: Streamed = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('broken')) }),
  }
  const { port, reported } = await startListener({}, () =>
    Promise.resolve({ status: 200, headers: {}, body }),
  )
  const answer = await open(port)
  const closed = new Promise((resolve) => answer.once('close', resolve))
  answer.on('error', () => undefined)
  answer.resume()
  await closed
  expect(answer.complete).toBe(false)
  expect(reported).toEqual([new Error('broken')])
})
