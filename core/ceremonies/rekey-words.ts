/** What a rekey says under its two names on the wire; clients know these texts. */
export interface RekeyWords {
  /** Whose configuration is wrong: `invalid WHAT configuration: ...`. */
  readonly configured: string
  readonly running: string
  readonly idle: string
  readonly unconfigured: string
  readonly noKey: string
  /** Before the nonce that would be right. */
  readonly nonce: string
}

/** `sys/rekey`. */
export const REKEY_WORDS: RekeyWords = {
  configured: 'rekey seal',
  running: 'rekey already in progress',
  idle: 'no barrier rekey in progress',
  unconfigured: 'no rekey configuration found',
  noKey: "'key' must be specified in request body as JSON",
  nonce: 'nonce for this rekey operation is',
}

/** `sys/rotate/root`. */
export const ROTATION_WORDS: RekeyWords = {
  configured: 'rotate seal',
  running: 'rotation already in progress',
  idle: 'no rotation configuration found',
  unconfigured: 'no rotation configuration found',
  noKey: "missing required field 'key'",
  nonce: 'nonce for rotation is',
}
