import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { mayHang } from './local-file-systems.ts'

test('a disk of this machine is not suspected, what is not there neither', () => {
  expect(mayHang(tmpdir())).toBe(false)
  expect(mayHang('/nowhere/at/all')).toBe(false)
})

test.runIf(process.platform === 'linux')('a file system that is no disk is', () => {
  expect(mayHang('/proc')).toBe(true)
})
