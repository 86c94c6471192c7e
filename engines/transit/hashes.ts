/** The hash algorithms by the names of the wire, and what signatures of RFC 8017 call them. */

/** `none`: what is signed is the input itself. */
export const HASHES: ReadonlyMap<string, HashAlgorithm> = new Map(
  [
    ['sha1', 'sha1', 20, '3021300906052b0e03021a05000414'],
    ['sha2-224', 'sha224', 28, '302d300d06096086480165030402040500041c'],
    ['sha2-256', 'sha256', 32, '3031300d060960864801650304020105000420'],
    ['sha2-384', 'sha384', 48, '3041300d060960864801650304020205000430'],
    ['sha2-512', 'sha512', 64, '3051300d060960864801650304020305000440'],
    ['sha3-224', 'sha3-224', 28, '302d300d06096086480165030402070500041c'],
    ['sha3-256', 'sha3-256', 32, '3031300d060960864801650304020805000420'],
    ['sha3-384', 'sha3-384', 48, '3041300d060960864801650304020905000430'],
    ['sha3-512', 'sha3-512', 64, '3051300d060960864801650304020a05000440'],
  ].map(([name, openssl, bytes, prefix]) => [
    String(name),
    {
      openssl: String(openssl),
      bytes: Number(bytes),
      digestInfo: Buffer.from(String(prefix), 'hex'),
    },
  ]),
)

export interface HashAlgorithm {
  /** As OpenSSL names it. */
  readonly openssl: string
  readonly bytes: number
  /** What stands before the digest in a DigestInfo (RFC 8017, 9.2, note 1; NIST for SHA-3). */
  readonly digestInfo: Buffer
}
