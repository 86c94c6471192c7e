/**
 * A checkpoint: a line of the audit log that signs the entries since the one before it, for those who have the public key.
 */
import { verify, type KeyObject } from 'node:crypto'
import * as z from 'zod'
import { SIGNATURE } from './checkpoint-line.ts'
import { DIGEST_CHARACTERS } from './link.ts'

const checkpointSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  /** The entries that it signs; `last` is `first` - 1 where there are none. */
  first: z.int().positive(),
  last: z.int().nonnegative(),
  /** The signature of the checkpoint before it; empty at the beginning of a chain. */
  before: z.string(),
  /** SHA-256 of each entry's line, in Base64url, one after the other. */
  digests: z.string(),
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
/** One that was read, and its own signature. */
export type SignedCheckpoint = Checkpoint & { readonly signature: string }

/** So many entries make a checkpoint. */
export const CHECKPOINT_ENTRIES = 1024
/** While a checkpoint is made, further entries come: never more than this are unsigned in a file. */
export const MAX_UNSIGNED_ENTRIES = 8192

const lineSchema = z.object({ type: z.literal('checkpoint'), chain: checkpointSchema })
const BEGINNING = /^\{"time":"[^"]*","type":"checkpoint",/

/**
 * @param line without its newline
 * @returns `undefined`: it is no checkpoint; `false`: it is one that the key has not signed
 */
export function readCheckpoint(
  line: string,
  publicKey: KeyObject,
): SignedCheckpoint | false | undefined {
  if (!BEGINNING.test(line)) return undefined
  const [end = '', text = ''] = SIGNATURE.exec(line) ?? []
  const signature = Buffer.from(text, 'base64url')
  // The last character has bits that say nothing: only one way to write a signature counts.
  if (end === '' || signature.toString('base64url') !== text) return false
  const signed = Buffer.from(line.slice(0, line.length - end.length))
  if (!verify(null, signed, publicKey, signature)) return false
  const parsed = lineSchema.safeParse(JSON.parse(line))
  if (!parsed.success || !isWhole(parsed.data.chain)) return false
  return { ...parsed.data.chain, signature: text }
}

function isWhole({ first, last, digests }: Checkpoint): boolean {
  return digests.length === (last - first + 1) * DIGEST_CHARACTERS
}
