import { expect, test } from 'vitest'
import { setting } from './environment.ts'

test('KEYHOLD_ wins over BAO_, that over VAULT_', () => {
  const env = { KEYHOLD_ADDR: 'k', BAO_ADDR: 'b', VAULT_ADDR: 'v' }
  expect(setting(env, 'ADDR')).toBe('k')
  expect(setting({ ...env, KEYHOLD_ADDR: undefined }, 'ADDR')).toBe('b')
  expect(setting({ VAULT_ADDR: 'v' }, 'ADDR')).toBe('v')
})

test('a variable that is set to nothing hides those behind it', () => {
  expect(setting({ BAO_TOKEN: '', VAULT_TOKEN: 'v' }, 'TOKEN')).toBeUndefined()
})
