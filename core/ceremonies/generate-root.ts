/**
 * A new root token by the agreement of a threshold of share holders, for a server whose root tokens are all revoked or
 * lost. The token leaves the server only encrypted, by a one-time password or to a PGP key of the person who began. One
 * attempt at a time; its progress is one record, which every node sees.
 */
import { z } from 'zod'
import { issueRootToken } from '../bootstrap.ts'
import { BadRequest } from '../errors.ts'
import type { Random } from '../random.ts'
import { demandSealConfig, recordReader } from '../seal/lifecycle.ts'
import { encryptTo, readPgpKey } from '../seal/pgp.ts'
import type { SealConfig } from '../seal/seal-config.ts'
import { WrongShares, type Seal } from '../seal/seal.ts'
import { kind } from '../store/kind.ts'
import { ROOT_TOKEN_CHARACTERS, type IssueContext } from '../tokens/issue.ts'
import type { Storage } from '../../storage/contract.ts'
import { CEREMONY_MS, gather, type Moment, type ShareSealer } from './gathered-shares.ts'

const attempts = kind(
  'generate-root',
  z
    .object({
      nonce: z.string(),
      /** Empty where the token is encrypted to a PGP key. */
      otp: z.string(),
      /** Base64; empty: none. */
      pgpKey: z.string().default(''),
      pgpFingerprint: z.string().default(''),
      shares: z.array(z.string()).readonly(),
      expiresAtMs: z.number(),
    })
    .readonly(),
  { keptWhenWritten: false },
)
type Running = ReturnType<typeof attempts.decode>
export const GENERATE_ROOT_KEY = 'core/ceremony/generate-root'

export interface GenerateRootParts {
  readonly storage: Pick<Storage, 'get'>
  readonly seal: Seal
  readonly random: Random
  /** @throws {Sealed} */
  readonly open: () => { readonly barrier: ShareSealer; readonly batch: IssueContext['batch'] }
}

export interface RootAttempt {
  /** Empty: none is running. */
  readonly nonce: string
  readonly started: boolean
  /** Shares so far. */
  readonly progress: number
  /** Shares needed. */
  readonly required: number
  /**
   * Only of the update that made the token: base64 without padding of the token XOR the password, or base64 of a
   * PGP message.
   */
  readonly encodedToken: string
  /** Of the key that the token is encrypted to; empty: none. */
  readonly pgpFingerprint: string
  /** Only in the answer to a start that brought none. */
  readonly otp: string
}

export class GenerateRoot {
  readonly #parts: GenerateRootParts

  constructor(parts: GenerateRootParts) {
    this.#parts = parts
  }

  async status(moment: Moment): Promise<RootAttempt> {
    const { threshold } = await this.#config()
    const running = await current(moment)
    return shown(threshold, running)
  }

  /**
   * Begins an attempt.
   *
   * @param otp as long as a root token; empty: one is drawn, and answered
   * @param pgpKey a public key in base64, in place of a password; empty: none
   * @throws {BadRequest} one is running, the password has another length, or the key is none
   */
  async start(
    moment: Moment,
    { otp, pgpKey }: { otp: string; pgpKey: string },
  ): Promise<RootAttempt> {
    const { random } = this.#parts
    if (otp !== '' && pgpKey !== '') {
      throw new BadRequest('otp and pgp_key exclude each other: give one of them')
    }
    const pgpFingerprint = pgpKey === '' ? '' : (await readPgpKey(pgpKey)).fingerprint
    if (otp !== '' && Buffer.byteLength(otp) !== ROOT_TOKEN_CHARACTERS) {
      throw new BadRequest('OTP string has incorrect length')
    }
    const { threshold } = await this.#config()
    if ((await current(moment)) !== undefined) {
      throw new BadRequest('root generation already in progress for this namespace')
    }
    const drawn = otp === '' && pgpKey === '' ? random.base62(ROOT_TOKEN_CHARACTERS) : ''
    const attempt = {
      nonce: random.uuid(),
      otp: otp || drawn,
      pgpKey,
      pgpFingerprint,
      shares: [],
      expiresAtMs: moment.nowMs + CEREMONY_MS,
    }
    moment.root.put(attempts, GENERATE_ROOT_KEY, attempt)
    return { ...shown(threshold, attempt), otp: drawn }
  }

  /** Ends the attempt and forgets its shares, if there is one. */
  async cancel({ root }: Moment): Promise<void> {
    if ((await root.get(attempts, GENERATE_ROOT_KEY)) !== undefined) root.delete(GENERATE_ROOT_KEY)
  }

  /**
   * Takes one share. The last that was missing makes the token.
   *
   * @returns `wrong`: the shares given so far are forgotten, and the attempt goes on; to be answered once that is durable
   * @throws {BadRequest} none is running, another nonce, no share, or one given before; nothing changed
   */
  async update(
    moment: Moment,
    { key, nonce }: { readonly key: string; readonly nonce: string },
  ): Promise<RootAttempt | WrongShares> {
    const { storage, seal, random } = this.#parts
    const { root, nowMs } = moment
    const config = await this.#config()
    const running = await current(moment)
    if (running === undefined) throw new BadRequest('no root generation in progress')
    if (key !== '' && nonce !== running.nonce) {
      throw new BadRequest(
        `incorrect nonce supplied; nonce for this root generation operation is "${running.nonce}"`,
      )
    }
    const { barrier, batch } = this.#parts.open()
    const gathered = await gather(key, {
      barrier,
      seal,
      sharing: config,
      nonce: running.nonce,
      shares: running.shares,
      attempt: (shares) => seal.verifyShares(recordReader(storage), shares),
    })
    if (gathered.state === 'enough') {
      const token = await issueRootToken({ root, random, batch, nowMs })
      root.delete(GENERATE_ROOT_KEY)
      const { threshold } = config
      const encodedToken = await encode(token, running)
      return { ...shown(threshold, running), progress: threshold, encodedToken }
    }
    const shares = gathered.state === 'more' ? gathered.shares : []
    const next = { ...running, shares, expiresAtMs: nowMs + CEREMONY_MS }
    root.put(attempts, GENERATE_ROOT_KEY, next)
    if (gathered.state === 'more') return shown(config.threshold, next)
    return new WrongShares('root generation aborted: unable to authenticate')
  }

  #config(): Promise<SealConfig> {
    return demandSealConfig(recordReader(this.#parts.storage))
  }
}

/** Whether there is one that nobody has touched for too long. */
export async function isOver({ root, nowMs }: Moment): Promise<boolean> {
  const attempt = await root.get(attempts, GENERATE_ROOT_KEY)
  return attempt !== undefined && attempt.expiresAtMs <= nowMs
}

async function current({ root, nowMs }: Moment) {
  const attempt = await root.get(attempts, GENERATE_ROOT_KEY)
  return attempt !== undefined && attempt.expiresAtMs > nowMs ? attempt : undefined
}

function shown(required: number, attempt: Running | undefined): RootAttempt {
  return {
    nonce: attempt?.nonce ?? '',
    started: attempt !== undefined,
    progress: attempt?.shares.length ?? 0,
    required,
    encodedToken: '',
    pgpFingerprint: attempt?.pgpFingerprint ?? '',
    otp: '',
  }
}

/** As only who began the attempt can read it. */
async function encode(token: string, { otp, pgpKey }: Running): Promise<string> {
  if (pgpKey === '') return xor(token, otp).toString('base64').replaceAll('=', '')
  return (await encryptTo(await readPgpKey(pgpKey), Buffer.from(token))).toString('base64')
}

/** @throws {BadRequest} the two have different lengths */
export function xor(token: string | Buffer, otp: string): Buffer {
  const [a, b] = [Buffer.from(token), Buffer.from(otp)]
  if (a.length !== b.length) {
    throw new BadRequest(
      `error xoring token: length of byte slices is not equivalent: ${a.length} != ${b.length}`,
    )
  }
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)))
}
