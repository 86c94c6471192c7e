import { expect, test } from 'vitest'
import { withFolder } from './location.ts'

test('the folder goes behind the mount', () => {
  expect(withFolder('secret/app', 'secret/', 'data')).toBe('secret/data/app')
  expect(withFolder('team/kv/a/b', 'team/kv/', 'metadata')).toBe('team/kv/metadata/a/b')
  expect(withFolder('secret', 'secret/', 'metadata')).toBe('secret/metadata')
})

test('a name that only begins like the mount is not inside it', () => {
  expect(withFolder('secretive/app', 'secret/', 'data')).toBe('secret/data/secretive/app')
})

test('a mount named with the namespaces before it is found in a path without them', () => {
  expect(withFolder('kv/app', 'ns1/ns2/kv/', 'data')).toBe('kv/data/app')
})

test('a secret called like a folder of the engine is still a secret', () => {
  expect(withFolder('secret/data/app', 'secret/', 'data')).toBe('secret/data/data/app')
})
