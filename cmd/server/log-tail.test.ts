import { expect, test } from 'vitest'
import { TooManyFollowers } from '../../engines/system/paths/monitor.ts'
import { logParts, type ServerLog } from './log-parts.ts'

function startLog() {
  const written: string[] = []
  const log = logParts({ write: (line) => void written.push(line) }, 'info')
  return { log, written }
}

function follow({ tail }: ServerLog, level: 'debug' | 'info' | 'warn' = 'info') {
  return tail.follow({ level, format: 'standard' })[Symbol.asyncIterator]()
}

test('a reader gets the lines at its level and above, and the log itself only those at its own', async () => {
  const { log, written } = startLog()
  const [all, few] = [follow(log, 'debug'), follow(log, 'warn')]
  log.parts.core.debug('a detail')
  log.parts.core.warn({ device: 'file/' }, 'a warning')

  expect((await all.next()).value).toMatch(
    /\[DEBUG\] a detail\n.*\[WARN\]  a warning device=file\/\n$/,
  )
  expect((await few.next()).value).toMatch(/^\S+ \[WARN\]  a warning device=file\/\n$/)
  expect(written.join('')).toMatch(/^{"level":"warn".*"a warning"}\n$/)
})

test('lines come as JSON where that is asked for, whatever the log is written as', async () => {
  const { log } = startLog()
  const reader = log.tail.follow({ level: 'info', format: 'json' })[Symbol.asyncIterator]()
  log.parts.core.info({ url: 'x' }, 'hello')
  expect(JSON.parse(String((await reader.next()).value))).toMatchObject({
    level: 'info',
    url: 'x',
    msg: 'hello',
  })
})

test('a token that is logged by mistake reaches no reader', async () => {
  const { log } = startLog()
  const reader = follow(log)
  log.parts.core.info({ token: 'hvs.secret', request: { key: 'share' } }, 'oops')
  const { value } = await reader.next()
  expect(value).toContain('oops')
  expect(value).not.toMatch(/hvs\.secret|share/)
})

test('once nobody reads, the logger is back at its own level', async () => {
  const { log } = startLog()
  const reader = follow(log, 'debug')
  expect(log.parts.core.isLevelEnabled('debug')).toBe(true)
  await reader.return?.()
  expect(log.parts.core.isLevelEnabled('debug')).toBe(false)
  log.levels.set('core', 'debug')
  expect(log.parts.core.isLevelEnabled('debug')).toBe(true)
})

test('a reader that is too slow loses lines, and is told how many', async () => {
  const { log } = startLog()
  const reader = follow(log)
  for (let i = 0; i < 600; i++) log.parts.core.info(`line ${i}`)
  const lines = String((await reader.next()).value)
    .trimEnd()
    .split('\n')
  expect(lines).toHaveLength(513)
  expect(lines[511]).toContain('line 511')
  expect(lines[512]).toMatch(/\[WARN\].*lines of this log were dropped.* dropped=88$/)
})

test('a reader waits for the next line, and no longer than until it goes', async () => {
  const { log } = startLog()
  const reader = follow(log)
  const first = reader.next()
  log.parts.core.info('hello')
  expect((await first).value).toContain('hello')
  const last = reader.next()
  await reader.return?.()
  expect(await last).toEqual({ done: true, value: undefined })
})

test('sealing ends the streams with a line that says so', async () => {
  const { log } = startLog()
  const reader = follow(log)
  log.tail.end()
  expect((await reader.next()).value).toContain('the server is sealed')
  expect(await reader.next()).toEqual({ done: true, value: undefined })
})

test('more readers than a node can have are refused, those that never began do not count', () => {
  const { log } = startLog()
  for (let i = 0; i < 20; i++) log.tail.follow({ level: 'info', format: 'json' })
  for (let i = 0; i < 16; i++) follow(log)
  expect(() => follow(log)).toThrow(TooManyFollowers)
})
