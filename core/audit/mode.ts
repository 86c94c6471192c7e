/**
 * The `mode` of an audit file. No audit file is a program (HCSEC-2025-14): of what is asked for, the bits to read and
 * write are taken, and who asked for others is told.
 */

const OCTAL_MODE = /^[0-7]{1,5}$/
const MAX_MODE = 0o7777
/** Read and write only: no executable, set-id or sticky bit can be asked for. */
const ALLOWED_MODE_BITS = 0o666
const OWNER_MODE_BITS = 0o600

/**
 * @param text octal digits
 * @returns permission bits; `keep`: those that the file has, else 0600; `undefined`: this is no mode
 */
export function parseMode(text: string): number | 'keep' | undefined {
  const asked = bitsOf(text)
  if (asked === undefined) return undefined
  return asked === 0 ? 'keep' : (asked & ALLOWED_MODE_BITS) | OWNER_MODE_BITS
}

/** What to say where the file does not get the mode that was asked for; `undefined`: it does. */
export function modeNotice(text: string | undefined): string | undefined {
  const mode = text === undefined ? undefined : parseMode(text)
  if (text === undefined || typeof mode !== 'number' || mode === bitsOf(text)) return undefined
  return `the audit file gets the mode ${mode.toString(8).padStart(4, '0')}: an audit file is never executable, and its owner can always read and write it`
}

function bitsOf(text: string): number | undefined {
  const bits = OCTAL_MODE.test(text) ? Number.parseInt(text, 8) : undefined
  return bits === undefined || bits > MAX_MODE ? undefined : bits
}
