/** The file that tells a service manager which process the server is (`pid_file`). */
import { rmSync, writeFileSync } from 'node:fs'
import { errorCode } from '../../core/http/listener-refused.ts'
import { ConfigError } from './config-error.ts'

/** @returns what takes it away again @throws {ConfigError} it cannot be written */
export function writePidFile(path: string): () => void {
  try {
    writeFileSync(path, `${process.pid}\n`, { mode: 0o644 })
  } catch (cause) {
    const code = errorCode(cause)
    throw new ConfigError(
      `pid_file: ${path} cannot be written (${code}); give a path in a folder that the server may write to`,
      { cause },
    )
  }
  return () => rmSync(path, { force: true })
}
