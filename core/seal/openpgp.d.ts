/**
 * Of the package openpgp what is used here, which is little: it is loaded only when somebody brings a PGP key, and types
 * are checked also where it is not installed. The last three are for tests.
 */
declare module 'openpgp' {
  export interface Key {
    /** Hex, lower case. */
    getFingerprint(): string
    isPrivate(): boolean
    write(): Uint8Array
  }
  type Message = { readonly packets: unknown }

  export function readKey(options: { binaryKey: Uint8Array }): Promise<Key>
  export function createMessage(options: { binary: Uint8Array }): Promise<Message>
  export function encrypt(options: {
    message: Message
    encryptionKeys: Key
    format: 'binary'
  }): Promise<Uint8Array>

  export function generateKey(options: {
    type: 'rsa' | 'ecc'
    rsaBits?: number
    userIDs: { name: string }[]
    keyExpirationTime?: number
    date?: Date
    format: 'object'
  }): Promise<{ privateKey: Key; publicKey: Key }>
  export function readMessage(options: { binaryMessage: Uint8Array }): Promise<Message>
  export function decrypt(options: {
    message: Message
    decryptionKeys: Key
    format: 'binary'
  }): Promise<{ data: Uint8Array }>
}
