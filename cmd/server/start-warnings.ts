/** What an operator is told once, when the server starts: what the configuration leaves out or cannot have. */
import type { ServerConfig } from './config.ts'
import { withoutEffect } from './without-effect.ts'

export function startWarnings(config: ServerConfig): string[] {
  return [
    ...withoutEffect(config).map((text) => `a setting has no effect: ${text}`),
    ...(config.running.audit.device.auditDirectory === undefined ? [NO_AUDIT_FILES] : []),
  ]
}

const NO_AUDIT_FILES =
  'audit_directory is not set: audit devices cannot write to files; to let them, write audit_directory = "/var/log/keyhold" in the configuration'
