import { expect, test } from 'vitest'
import { typedCommand } from './typed-command.ts'

test('a program on the PATH is named alone', () => {
  const started = { path: '/usr/local/bin/keyhold', directory: '/home/ann', byNpm: false }
  expect(typedCommand(started)).toBe('keyhold')
})

test('from its sources it is run by node, as seen from the folder of the person', () => {
  const path = '/src/keyhold/cmd/keyhold.ts'
  expect(typedCommand({ path, directory: '/src/keyhold', byNpm: false })).toBe(
    'node cmd/keyhold.ts',
  )
  expect(typedCommand({ path, directory: '/tmp', byNpm: false })).toBe(`node ${path}`)
})

test('what npm started is run by the Node that npm finds', () => {
  const started = { path: '/src/cmd/keyhold.ts', directory: '/src', byNpm: true }
  expect(typedCommand(started)).toBe('npx node cmd/keyhold.ts')
})
