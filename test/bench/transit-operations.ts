/** What is measured of transit: one key of each kind, 64 bytes at a time. */
import { always, request, type Operation } from './operation.ts'

const PLAINTEXT = Buffer.alloc(64, 7).toString('base64')
const BATCH = 64

/** Rights of the token that is measured. */
export const TRANSIT_POLICY = 'path "transit/*" { capabilities = ["update"] }'
const TRANSIT_KEYS: Readonly<Record<string, string>> = {
  aes: 'aes256-gcm96',
  ed25519: 'ed25519',
  p256: 'ecdsa-p256',
  rsa: 'rsa-2048',
}

/** What is decrypted and verified. */
export interface PreparedTransit {
  readonly ciphertext: string
  readonly signature: string
}

type Call = (method: string, path: string, body?: unknown) => Promise<unknown>

export async function prepareTransit(
  call: Call,
  textAt: (json: unknown, ...path: string[]) => string,
): Promise<PreparedTransit> {
  await call('POST', 'sys/mounts/transit', { type: 'transit' })
  for (const [name, type] of Object.entries(TRANSIT_KEYS)) {
    await call('POST', `transit/keys/${name}`, { type })
  }
  const encrypted = await call('POST', 'transit/encrypt/aes', { plaintext: PLAINTEXT })
  const signed = await call('POST', 'transit/sign/p256', { input: PLAINTEXT })
  return {
    ciphertext: textAt(encrypted, 'data', 'ciphertext'),
    signature: textAt(signed, 'data', 'signature'),
  }
}

const sign = (name: string, mark?: number): Operation => ({
  name: `transit-sign-${name}`,
  ...(mark !== undefined && { mark }),
  script: ({ token }) =>
    always(request('POST', `transit/sign/${name}`, token, { input: PLAINTEXT })),
})

export const TRANSIT_OPERATIONS: readonly Operation[] = [
  {
    name: 'transit-encrypt',
    mark: 0.3,
    script: ({ token }) =>
      always(request('POST', 'transit/encrypt/aes', token, { plaintext: PLAINTEXT })),
  },
  {
    name: 'transit-decrypt',
    mark: 0.3,
    script: ({ token, transit: { ciphertext } }) =>
      always(request('POST', 'transit/decrypt/aes', token, { ciphertext })),
  },
  {
    name: `transit-encrypt-${BATCH}`,
    script: ({ token }) => {
      const batch_input = Array.from({ length: BATCH }, () => ({ plaintext: PLAINTEXT }))
      return always(request('POST', 'transit/encrypt/aes', token, { batch_input }))
    },
  },
  {
    name: 'transit-datakey',
    mark: 0.28,
    script: ({ token }) => always(request('POST', 'transit/datakey/plaintext/aes', token, {})),
  },
  sign('ed25519', 0.22),
  sign('p256', 0.22),
  sign('rsa'),
  {
    name: 'transit-verify-p256',
    mark: 0.18,
    script: ({ token, transit: { signature } }) =>
      always(request('POST', 'transit/verify/p256', token, { input: PLAINTEXT, signature })),
  },
]
