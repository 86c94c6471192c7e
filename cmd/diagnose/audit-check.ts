/** Where audit files lie. Which devices there are, only the open server knows. */
import { statSync } from 'node:fs'
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
    return orFine(faults, `audit files can be written to ${path}`)
  },
}
