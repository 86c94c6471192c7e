/**
 * A checkpoint: a line of the audit log that signs the entries since the one before it, for those who have the public key.
 */
import { sign, verify, type KeyObject } from 'node:crypto'
import * as z from 'zod'
import { rfc3339 } from '../../clock.ts'
import { MAC_CHARACTERS } from './link.ts'

const checkpointSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  /** The entries that it signs; `last` is `first` - 1 where there are none. */
  first: z.int().positive(),
  last: z.int().nonnegative(),
  /** Of the entry before the first; the chain's id at its beginning. */
  before: z.string(),
  /** Base64url: the key of their MACs. */
  key: z.string(),
  /** Their MACs, one after the other. */
  macs: z.string(),
  /**
   * At the beginning of a chain: the last entry, and the last that is signed, of the other chains that its file held, and a
   * hash of those between: of a server that was killed, nobody else will sign them.
   */
  seen: z
    .record(
      z.string(),
      z.object({ last: z.int(), signed: z.int(), unsigned: z.string().optional() }),
    )
    .optional(),
  /** Nothing of this chain follows. */
  end: z.literal(true).optional(),
})

export type Checkpoint = Readonly<z.infer<typeof checkpointSchema>>

/** An entry stays unsigned no longer than until there are so many. */
export const CHECKPOINT_ENTRIES = 256

const lineSchema = z.object({ type: z.literal('checkpoint'), chain: checkpointSchema })
const BEGINNING = /^\{"time":"[^"]*","type":"checkpoint",/
const SIGNATURE = /,"signature":"([\w-]{86})"\}$/

/** @returns a line with its newline */
export function checkpointLine(checkpoint: Checkpoint, key: KeyObject, nowMs: number): string {
  const chain = JSON.stringify(checkpoint)
  const signed = `{"time":"${rfc3339(nowMs)}","type":"checkpoint","chain":${chain}`
  const signature = sign(null, Buffer.from(signed), key).toString('base64url')
  return `${signed},"signature":"${signature}"}\n`
}

/**
 * @param line without its newline
 * @returns `undefined`: it is no checkpoint; `false`: it is one that the key has not signed
 */
export function readCheckpoint(line: string, publicKey: KeyObject): Checkpoint | false | undefined {
  if (!BEGINNING.test(line)) return undefined
  const [end = '', text = ''] = SIGNATURE.exec(line) ?? []
  const signature = Buffer.from(text, 'base64url')
  // The last character has bits that say nothing: only one way to write a signature counts.
  if (end === '' || signature.toString('base64url') !== text) return false
  const signed = Buffer.from(line.slice(0, line.length - end.length))
  if (!verify(null, signed, publicKey, signature)) return false
  const parsed = lineSchema.safeParse(JSON.parse(line))
  return parsed.success && isWhole(parsed.data.chain) && parsed.data.chain
}

function isWhole({ first, last, macs }: Checkpoint): boolean {
  return macs.length === (last - first + 1) * MAC_CHARACTERS
}
