import { expect, test } from 'vitest'
import { logParts } from './log-parts.ts'

function logs() {
  const lines: string[] = []
  const { parts, levels } = logParts({ write: (line) => void lines.push(line) }, 'info')
  return { lines, parts, levels }
}

test('a part that tells more leaves the others as they are, and is put back alone', () => {
  const { lines, parts, levels } = logs()

  levels.set('audit', 'debug')
  parts.audit.debug('audit: seen')
  parts.core.debug('core: unseen')
  parts.listener.debug('listener: unseen')

  expect(levels.levels()).toEqual({
    audit: 'debug',
    core: 'info',
    listener: 'info',
    plugin: 'info',
  })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('audit: seen')

  levels.set('audit', undefined)
  expect(levels.levels()).toEqual({ audit: 'info', core: 'info', listener: 'info', plugin: 'info' })
})

test('a part that is quieter leaves the others as they are', () => {
  const { levels } = logs()
  levels.set('core', 'error')
  expect(levels.levels()).toEqual({
    audit: 'info',
    core: 'error',
    listener: 'info',
    plugin: 'info',
  })
})

test('all parts are set at once, and put back to what is configured', () => {
  const { levels } = logs()
  levels.set(undefined, 'error')
  expect(levels.levels()).toEqual({
    audit: 'error',
    core: 'error',
    listener: 'error',
    plugin: 'error',
  })
  levels.set(undefined, undefined)
  expect(levels.levels()).toEqual({ audit: 'info', core: 'info', listener: 'info', plugin: 'info' })
})
