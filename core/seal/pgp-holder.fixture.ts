/** For tests: somebody with a PGP key. */
import { decrypt, generateKey, readMessage } from 'openpgp'

export interface PgpHolder {
  /** The public key as it is sent: binary, in base64. */
  readonly publicKey: string
  readonly privateKey: string
  readonly fingerprint: string
  /** @param message base64 */
  open(message: string): Promise<string>
}

/** @param expired the key had a day, years ago */
export async function pgpHolder({ expired = false } = {}): Promise<PgpHolder> {
  const long = { date: new Date('2020-01-01'), keyExpirationTime: 86_400 }
  const { privateKey, publicKey } = await generateKey({
    type: 'ecc',
    userIDs: [{ name: 'Holder' }],
    format: 'object',
    ...(expired && long),
  })
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  return {
    publicKey: base64(publicKey.write()),
    privateKey: base64(privateKey.write()),
    fingerprint: publicKey.getFingerprint(),
    async open(text) {
      const message = await readMessage({ binaryMessage: Buffer.from(text, 'base64') })
      const { data } = await decrypt({ message, decryptionKeys: privateKey, format: 'binary' })
      return Buffer.from(data).toString()
    },
  }
}
