/**
 * A seal keeps the root key while the server is closed. Two families, one contract:
 *
 * - `unseal`: people hold shares of the key that wraps the root key, and bring them to open the server (Shamir).
 * - `recovery`: the seal opens by itself, by calling an HSM or a KMS. Shares of a recovery key are made all the same;
 *   they decrypt nothing, they only show that their holders agree to an operation.
 *
 * What a seal stores lies under keys of its own choice among `CORE_RECORDS.rootKey` and below it, and is authenticated
 * encryption throughout: an altered record and a wrong share are told apart by nothing.
 * `seal.suite.ts` proves an implementation.
 */
import { BadRequest } from '../errors.ts'

export interface Sharing {
  /** 1..255; 0 and a threshold of 0 for a `recovery` seal without recovery shares. */
  readonly shares: number
  /** How many of them open; 2..shares, or 1 of 1. */
  readonly threshold: number
}

/** The newest stored value of a key. */
export type ReadRecord = (key: string) => Promise<Buffer | undefined>

export interface Protected {
  /** To be committed together, with whatever else the caller commits. */
  readonly records: ReadonlyMap<string, Buffer>
  /** One for each holder. The caller hands them out and zeroes them. */
  readonly shares: readonly Buffer[]
}

export interface Seal {
  /** `type` of seal-status, and of the stored configuration: `shamir`, `pkcs11`, `awskms`. */
  readonly type: string
  /** What its shares are good for. */
  readonly shareUse: 'unseal' | 'recovery'

  /** Whether a share could be one of this seal's: refused at once, before its threshold. @throws {BadRequest} */
  checkShare(share: Buffer, sharing: Sharing): void

  /**
   * Wraps the root key anew and makes new shares: at initialisation, and when the shares are replaced.
   *
   * @param rootKey neither kept nor zeroed
   */
  protect(rootKey: Buffer, sharing: Sharing): Promise<Protected>

  /**
   * The root key. An `unseal` seal needs exactly `threshold` shares; a `recovery` seal takes none and calls out.
   *
   * @param shares neither kept nor zeroed
   * @returns outside V8's heap; the caller zeroes it
   * @throws {WrongShares} they do not open it (or the record was altered)
   */
  recover(read: ReadRecord, shares: readonly Buffer[]): Promise<Buffer>

  /**
   * Proves that the holders of a threshold of shares agree, for operations such as a new root token.
   *
   * @param shares neither kept nor zeroed
   * @throws {WrongShares} they are not of this server
   */
  verifyShares(read: ReadRecord, shares: readonly Buffer[]): Promise<void>
}

/** 400: the shares together do not open the root key. Which of them is wrong cannot be told. */
export class WrongShares extends BadRequest {
  override readonly name = 'WrongShares'
  /** @param failed begins the text: what the shares were given for */
  constructor(failed = 'unable to retrieve stored keys') {
    super(
      `${failed}: invalid key: failed to decrypt keys from storage: cipher: message authentication failed`,
    )
  }
}
