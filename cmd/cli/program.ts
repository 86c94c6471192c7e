/**
 * The name that the command was started under. As `vault` or `bao` it speaks of itself as those do, so that scripts and
 * suites that start them run unchanged.
 */
import { basename } from 'node:path'
import { OPENBAO_VERSION, PRODUCT_VERSION, WIRE_VERSION } from '../../core/version.ts'

export interface Program {
  /** What a person types: `keyhold`. */
  readonly command: string
  /** What texts call the product: `Keyhold`. */
  readonly product: string
  /** What texts call the server; OpenBao's say `Vault` there. */
  readonly server: string
  readonly versionLine: string
  /** The variable that a person of this program would set. */
  readonly tokenVariable: string
}

const KEYHOLD: Program = {
  command: 'keyhold',
  product: 'Keyhold',
  server: 'Keyhold',
  versionLine: `Keyhold v${PRODUCT_VERSION} (API of Vault v${WIRE_VERSION})`,
  tokenVariable: 'KEYHOLD_TOKEN',
}

const PROGRAMS: Readonly<Record<string, Program>> = {
  vault: {
    command: 'vault',
    product: 'Vault',
    server: 'Vault',
    versionLine: `Vault v${WIRE_VERSION} (Keyhold v${PRODUCT_VERSION})`,
    tokenVariable: 'VAULT_TOKEN',
  },
  bao: {
    command: 'bao',
    product: 'OpenBao',
    server: 'Vault',
    versionLine: `OpenBao v${OPENBAO_VERSION}`,
    tokenVariable: 'BAO_TOKEN',
  },
}

/** @param startedAs path or name of the executable; a wrapper may pass another in KEYHOLD_PROGRAM */
export function programNamed(startedAs: string): Program {
  const name = basename(startedAs).replace(/\.(?:ts|js|exe)$/, '')
  return PROGRAMS[name] ?? KEYHOLD
}
