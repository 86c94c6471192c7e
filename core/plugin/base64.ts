/** Base64 as Go reads it, for the errors that clients of Vault know: line breaks count for nothing, padding must be there. */
import { BadRequest } from '../errors.ts'

const LETTER = /[A-Za-z0-9+/]/
const OTHER = /[^A-Za-z0-9+/]/

/** The bytes of a text. @returns a number: where it is no base64 */
export function decodeBase64(text: string): Buffer | number {
  if (isPlain(text)) return Buffer.from(text, 'base64')
  const at = illegalAt(text)
  return at ?? Buffer.from(text.replaceAll(/[\r\n]/g, ''), 'base64')
}

/** @throws {BadRequest} it is no base64 */
export function demandBase64(text: string): Buffer {
  const bytes = decodeBase64(text)
  if (typeof bytes === 'number') throw new BadRequest(illegalBase64(bytes))
  return bytes
}

export function illegalBase64(at: number): string {
  return `illegal base64 data at input byte ${at}`
}

/**
 * Whether it is what every encoder writes: letters in groups of four, the last one padded. One expression for that would
 * keep a state for each group, and give up at some megabytes.
 */
function isPlain(text: string): boolean {
  if (text.length % 4 !== 0) return false
  const letters = text.search(OTHER)
  if (letters < 0) return true
  const padding = text.length - letters
  return (padding === 1 && text.endsWith('=')) || (padding === 2 && text.endsWith('=='))
}

/** Where a reader that goes by groups of four gives up; `undefined`: nowhere. */
function illegalAt(text: string): number | undefined {
  let inGroup = 0
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '\n' || character === '\r') continue
    if (character === '=') return inGroup < 2 ? i : illegalPadding(text, i, 4 - inGroup)
    if (!LETTER.test(character)) return i
    inGroup = (inGroup + 1) % 4
  }
  return inGroup === 0 ? undefined : text.length - inGroup
}

/** Padding ends the text. @param from where it begins @param wanted how many signs it must have */
function illegalPadding(text: string, from: number, wanted: number): number | undefined {
  let found = 0
  for (let i = from; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '\n' || character === '\r') continue
    if (found === wanted) return i
    // Go names the place before the one where padding should be.
    if (character !== '=') return i - 1
    found++
  }
  return found === wanted ? undefined : text.length
}
