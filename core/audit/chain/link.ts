/** The link of a line: `,"chain":"ID:NUMBER"` before the last brace says of which chain it is, and its place there. */
import { createHash, hash } from 'node:crypto'

/** Of a SHA-256 in Base64url. */
export const DIGEST_CHARACTERS = 43
const NEWLINE = 10

export interface Link {
  readonly chainId: string
  /** From 1, without gaps. */
  readonly number: number
  /** The whole line, without its newline. */
  readonly line: string
}

const LINK = /,"chain":"([0-9a-f]{16}):([1-9]\d{0,15})"\}$/

/**
 * hot: each line of a device with `chain`.
 *
 * @param lines each ends with a brace and a newline
 * @param before the number of the entry before
 * @returns them with their links, and the number of the last one
 */
export function linked(
  lines: string,
  chainId: string,
  before: number,
): { text: string; last: number } {
  const beginning = `,"chain":"${chainId}:`
  let text = ''
  let last = before
  for (let from = 0; from < lines.length;) {
    const newline = lines.indexOf('\n', from)
    text += `${lines.slice(from, newline - 1)}${beginning}${++last}"}\n`
    from = newline + 1
  }
  return { text, last }
}

/** @param line without its newline @returns `undefined`: it has none */
export function parseLink(line: string): Link | undefined {
  const [, chainId, digits] = LINK.exec(line) ?? []
  return chainId === undefined ? undefined : { chainId, number: Number(digits), line }
}

/** hot: the SHA-256 of each line, in Base64url, one after the other. @param lines in UTF-8, with their newlines */
export function digestsOf(lines: Uint8Array): string {
  let digests = ''
  for (let from = 0; from < lines.length;) {
    const newline = lines.indexOf(NEWLINE, from)
    digests += hash('sha256', lines.subarray(from, newline), 'base64url')
    from = newline + 1
  }
  return digests
}

/** @param line without its newline */
export function digestOf(line: string): string {
  return hash('sha256', line, 'base64url')
}

/** Base64url of the SHA-256 of whole lines, for those that no checkpoint of their own chain has signed. */
export function hashOfLines(links: readonly Link[]): string {
  const whole = createHash('sha256')
  for (const { line } of links) whole.update(`${line}\n`)
  return whole.digest('base64url')
}

/** Whether they are all entries after `last`, in their order. */
export function areConsecutive(links: readonly Link[], last: number): boolean {
  return links.every(({ number }, at) => number === last + 1 + at)
}
