/**
 * The link of a line to the one before it: `,"chain":"ID:NUMBER:MAC"` before the last brace. The MAC is HMAC-SHA256 over the
 * MAC before it and all of the line up to its own, under a key that is made known with the next checkpoint.
 *
 * hot: one HMAC a line of a device with `chain`.
 */
import { createHash, createHmac, type KeyObject } from 'node:crypto'

/** 132 bits: nobody knows the key before the line is written, so collisions cannot be prepared. */
export const MAC_CHARACTERS = 22

export interface Link {
  readonly chainId: string
  /** From 1, without gaps. */
  readonly number: number
  readonly mac: string
  /** What the MAC is over, but for the MAC before. */
  readonly body: string
}

const LINK = /,"chain":"([0-9a-f]{16}):([1-9]\d{0,15}):([\w-]{22})"\}$/

export function linkMac(key: KeyObject, before: string, body: string): string {
  return createHmac('sha256', key)
    .update(before + body)
    .digest('base64url')
    .slice(0, MAC_CHARACTERS)
}

/** @param line with its last brace and newline */
export function linkBody(line: string, chainId: string, number: number): string {
  return `${line.slice(0, -2)},"chain":"${chainId}:${number}:`
}

/** @param line without its newline @returns `undefined`: it has none */
export function parseLink(line: string): Link | undefined {
  const [whole = '', chainId = '', digits = '', mac = ''] = LINK.exec(line) ?? []
  if (whole === '') return undefined
  return {
    chainId,
    number: Number(digits),
    mac,
    body: line.slice(0, line.length - mac.length - '"}'.length),
  }
}

/** Base64url of the SHA-256 of whole lines, for those that no checkpoint of their own chain has signed. */
export function hashOfLines(links: readonly Link[]): string {
  const hash = createHash('sha256')
  for (const { body, mac } of links) hash.update(`${body}${mac}"}\n`)
  return hash.digest('base64url')
}

/** Whether they are all entries after `last`, in their order. */
export function areConsecutive(links: readonly Link[], last: number): boolean {
  return links.every(({ number }, at) => number === last + 1 + at)
}
