/** The configuration: that it can be read, by whom it can be changed, and what in it has no effect. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ConfigError, loadConfig, type ServerConfig } from '../server/config.ts'
import { startWarnings } from '../server/start-warnings.ts'
import { failure, ok, warning, type Finding } from './finding.ts'
import type { Machine } from './machine.ts'
import { faultsOf } from './permissions.ts'

export interface CheckedConfig {
  /** `undefined`: it cannot be read; the findings say why. */
  readonly config: ServerConfig | undefined
  readonly findings: readonly Finding[]
}

export function checkConfig(paths: readonly string[], machine: Machine): CheckedConfig {
  try {
    const config = loadConfig(paths)
    const warnings = startWarnings(config).map((text) =>
      warning(text, 'as it says; the server starts all the same'),
    )
    const faults = [...paths.flatMap((path) => filesOf(path)), ...paths.map(dirname)].flatMap(
      (path) => faultsOf({ what: 'the configuration', path }, machine) ?? [],
    )
    const read = ok(`the configuration ${paths.join(', ')} is understood`)
    return { config, findings: [read, ...faults, ...warnings] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const advice = 'mend it, and run this again: the other checks need it'
    return { config: undefined, findings: [failure(error.message, advice)] }
  }
}

function filesOf(path: string): readonly string[] {
  if (!existsSync(path) || !statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .filter((name) => /\.(?:hcl|json)$/.test(name))
    .map((name) => join(path, name))
}
