/**
 * What is known of a server while it is closed: its kind of seal, its shares and their threshold. Plain JSON, for it is
 * read before any key is there. Whoever alters it can keep the server closed, and no more: the shares decide.
 */
import { z } from 'zod'
import { BadRequest, CorruptRecord } from '../errors.ts'
import { CORE_RECORDS } from '../barrier/record-keys.ts'
import type { ReadRecord, Sharing } from './seal.ts'

/** An x coordinate is one byte, and 0 is taken. */
const MAX_SHARES = 255

export interface SealConfig extends Sharing {
  readonly type: string
}

const StoredSealConfig = z.strictObject({
  version: z.literal(1),
  type: z.string().min(1),
  shares: z.int().min(0).max(MAX_SHARES),
  threshold: z.int().min(0).max(MAX_SHARES),
})

export function serialiseSealConfig({ type, shares, threshold }: SealConfig): Buffer {
  return Buffer.from(JSON.stringify({ version: 1, type, shares, threshold }))
}

/**
 * `undefined`: the server is not initialised.
 *
 * @throws {CorruptRecord} not of this form, or of a newer version
 */
export async function readSealConfig(read: ReadRecord): Promise<SealConfig | undefined> {
  const bytes = await read(CORE_RECORDS.sealConfig)
  if (bytes === undefined) return undefined
  try {
    const { type, shares, threshold } = StoredSealConfig.parse(JSON.parse(bytes.toString()))
    return { type, shares, threshold }
  } catch (cause) {
    throw new CorruptRecord(CORE_RECORDS.sealConfig, { cause })
  }
}

/**
 * @param what begins the text: `seal` at initialisation, `rekey seal` when the shares are replaced
 * @throws {BadRequest} with Vault's text
 */
export function checkSharing({ shares, threshold }: Sharing, what = 'seal'): void {
  const wrong = wrongSharing(shares, threshold)
  if (wrong !== undefined) throw new BadRequest(`invalid ${what} configuration: ${wrong}`)
}

function wrongSharing(shares: number, threshold: number): string | undefined {
  if (!(shares >= 1)) return 'shares must be at least one'
  if (!(threshold >= 1)) return 'threshold must be at least one'
  if (shares > MAX_SHARES) return 'shares must be less than 256'
  if (threshold > MAX_SHARES) return 'threshold must be less than 256'
  if (threshold > shares) return 'threshold cannot be larger than shares'
  if (threshold === 1 && shares > 1) {
    return 'threshold must be greater than one for multiple shares'
  }
  return undefined
}
