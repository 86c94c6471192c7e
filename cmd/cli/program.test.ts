import { expect, test } from 'vitest'
import { OPENBAO_VERSION, PRODUCT_VERSION, WIRE_VERSION } from '../../core/version.ts'
import { programNamed } from './program.ts'

test('started as vault or bao it speaks of itself as those do', () => {
  expect(programNamed('/usr/local/bin/vault').versionLine).toMatch(
    new RegExp(`^Vault v${WIRE_VERSION} `),
  )
  expect(programNamed('bao').versionLine).toBe(`OpenBao v${OPENBAO_VERSION}`)
})

test('under any other name it is keyhold', () => {
  for (const name of ['/x/cmd/keyhold.ts', 'keyhold', 'dist/cmd/keyhold.js', 'renamed', ''])
    expect(programNamed(name)).toMatchObject({ command: 'keyhold', product: 'Keyhold' })
  expect(programNamed('keyhold').versionLine).toContain(`Keyhold v${PRODUCT_VERSION} `)
})

test('suites find the version as the second word of the line', () => {
  for (const name of ['keyhold', 'vault', 'bao'])
    expect(programNamed(name).versionLine.split(' ')[1]).toMatch(/^v\d+\.\d+\.\d+$/)
})
