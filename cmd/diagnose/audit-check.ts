/** Where audit files lie. Which devices there are, only the open server knows. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from './check.ts'
import { failure, skipped } from './finding.ts'
import { faultsOf, orFine } from './permissions.ts'

export const auditCheck: Check = {
  name: 'audit',
  title: 'Audit files',
  async run({ config, machine }) {
    const path = config.running.audit.device.auditDirectory
    if (path === undefined) return [skipped('no audit_directory is set, so none lie here')]
    const faults = faultsOf(
      { what: 'the audit_directory', path, isSecret: true, isWritten: true },
      machine,
    )
    const make = `make it, for the user of the server: install -d -o keyhold -m 700 ${path}`
    if (faults === undefined) return [failure(`the audit_directory ${path} does not exist`, make)]
    if (!statSync(path).isDirectory()) {
      return [failure(`the audit_directory ${path} is no folder`, 'name a folder')]
    }
    const ofFiles = filesIn(path).flatMap(
      (file) => faultsOf({ what: 'the audit file', path: file, isSecret: true }, machine) ?? [],
    )
    return orFine([...faults, ...ofFiles], `audit files can be written to ${path}`)
  },
}

/** Files that are looked at; rotated ones may be many. */
const MAX_FILES = 100

function filesIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).slice(0, MAX_FILES)
    return entries.filter((one) => one.isFile()).map(({ name }) => join(folder, name))
  } catch {
    return [] // that it cannot be read is said already
  }
}
