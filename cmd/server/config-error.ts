/**
 * A configuration that cannot be used: which file and line, what is wrong there, what would be right. Values are never
 * repeated: some are secrets.
 */
import type { Position } from '../../core/hcl/errors.ts'

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** A place in a file; what is said of it begins `FILE:LINE: `. */
export class Place {
  readonly file: string
  readonly at: Position

  constructor(file: string, at: Position) {
    this.file = file
    this.at = at
  }

  error(text: string): ConfigError {
    return new ConfigError(`${this.file}:${this.at.line}: ${text}`)
  }

  /** Another place of the same file. */
  moved(at: Position): Place {
    return new Place(this.file, at)
  }
}
