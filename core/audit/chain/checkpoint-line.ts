/** Makes the line of a checkpoint. Apart from what reads it, which the signing thread need not load. */
import { sign, type KeyObject } from 'node:crypto'
import { rfc3339 } from '../../clock.ts'
import type { Checkpoint } from './checkpoint.ts'

export const SIGNATURE = /,"signature":"([\w-]{86})"\}\n?$/

/** @returns a line with its newline */
export function checkpointLine(checkpoint: Checkpoint, key: KeyObject, nowMs: number): string {
  const chain = JSON.stringify(checkpoint)
  const signed = `{"time":"${rfc3339(nowMs)}","type":"checkpoint","chain":${chain}`
  const signature = sign(null, Buffer.from(signed), key).toString('base64url')
  return `${signed},"signature":"${signature}"}\n`
}

/** @param line as `checkpointLine` has made it */
export function signatureOf(line: string): string {
  return SIGNATURE.exec(line)?.[1] ?? ''
}
