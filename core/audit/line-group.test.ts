import { expect, test } from 'vitest'
import type { AuditDevice } from './device.ts'
import { AuditWriteFailed } from './failures.ts'
import { LineGroup } from './line-group.ts'

/** Keeps each write open until the test ends it. */
class HeldDevice implements AuditDevice {
  readonly writes: { lines: string; end: (failure?: Error) => void }[] = []

  write(lines: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.writes.push({
        lines,
        end: (failure) => (failure === undefined ? resolve() : reject(failure)),
      })
    })
  }
  check(): void {}
  reopen(): void {}
  close(): void {}
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

function held() {
  const device = new HeldDevice()
  const outcomes: (Error | undefined)[] = []
  return { device, outcomes, group: new LineGroup(device, (failure) => outcomes.push(failure)) }
}

test('lines of one turn share one write, in their order, and wait for the same promise', async () => {
  const { device, group } = held()
  const outcomes = ['a\n', 'b\n', 'c\n'].map((line) => group.add(line))
  expect(device.writes).toEqual([])
  await turn()
  expect(device.writes.map(({ lines }) => lines)).toEqual(['a\nb\nc\n'])
  expect(new Set(outcomes).size).toBe(1)
  device.writes[0]?.end()
  expect(await outcomes[2]).toBeUndefined()
})

test('while a write is under way further lines gather for the next', async () => {
  const { device, group } = held()
  const first = group.add('a\n')
  await turn()
  const second = group.add('b\n')
  await turn()
  void group.add('c\n')
  expect(device.writes).toHaveLength(1)
  device.writes[0]?.end()
  await first
  await turn()
  expect(device.writes.map(({ lines }) => lines)).toEqual(['a\n', 'b\nc\n'])
  device.writes[1]?.end()
  expect(await second).toBeUndefined()
})

test('who waited for a failed write is told; the lines after it are written all the same', async () => {
  const { device, group, outcomes } = held()
  const first = group.add('a\n')
  await turn()
  const second = group.add('b\n')
  device.writes[0]?.end(new AuditWriteFailed('disk full'))
  expect(await first).toEqual(new AuditWriteFailed('disk full'))
  await turn()
  device.writes[1]?.end()
  expect(await second).toBeUndefined()
  expect(outcomes).toEqual([new AuditWriteFailed('disk full'), undefined])
})

test('a device that stalls holds a limited amount of lines; more are refused at once', async () => {
  const { device, group } = held()
  void group.add('a\n')
  await turn()
  const megabyte = `${'x'.repeat(1024 * 1024 - 1)}\n`
  const waiting = Array.from({ length: 256 }, () => group.add(megabyte))
  expect(await group.add('one more\n')).toBeInstanceOf(AuditWriteFailed)
  for (let i = 0; i <= 16; i++) {
    device.writes[i]?.end()
    await turn()
  }
  expect(device.writes).toHaveLength(17)
  expect(await Promise.all(waiting)).toEqual(Array.from({ length: 256 }, () => undefined))
  const last = group.add('one more\n')
  await turn()
  device.writes[17]?.end()
  expect(await last).toBeUndefined()
})

test('large lines that come together make several writes', async () => {
  const { device, group } = held()
  const large = `${'x'.repeat(10 * 1024 * 1024 - 1)}\n`
  const outcomes = [group.add(large), group.add(large)]
  await turn()
  device.writes[0]?.end()
  await turn()
  device.writes[1]?.end()
  expect(await Promise.all(outcomes)).toEqual([undefined, undefined])
  expect(device.writes).toHaveLength(2)
})

test('flush waits for all that was added', async () => {
  const { device, group } = held()
  void group.add('a\n')
  let flushed = false
  const flush = group.flush().then(() => (flushed = true))
  await turn()
  void group.add('b\n')
  device.writes[0]?.end()
  await turn()
  await turn()
  expect(flushed).toBe(false)
  device.writes[1]?.end()
  await flush
  await group.flush()
})
