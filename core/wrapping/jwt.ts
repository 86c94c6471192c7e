/**
 * Wrapping tokens as JWTs (header `X-Vault-Wrap-Format: jwt`): the token lies in the claim `jti`, signed with ES512 by
 * a key of this server, so that somebody who has only the public part can tell a genuine one.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'
import type { IssueContext } from '../tokens/issue.ts'
import type { ServiceToken } from '../tokens/record.ts'

const keyRecords = kind('wrapping-key', z.object({ pkcs8: z.string() }).readonly())
const KEY = 'core/wrapping-key'
const ALGORITHM = 'ES512'

/** Loaded when the first JWT is met: most servers never see one. */
const loadJose = () => import('jose')

export async function asJwt(
  { root, nowMs }: IssueContext,
  token: string,
  record: ServiceToken,
): Promise<string> {
  const { SignJWT } = await loadJose()
  const jwt = new SignJWT({ accessor: record.accessor, type: 'wrapping' })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setJti(token)
    .setIssuedAt(new Date(nowMs))
  if (record.expiresAtMs !== null) jwt.setExpirationTime(new Date(record.expiresAtMs))
  return jwt.sign((await readKey(root)) ?? makeKey(root))
}

/** The token in a JWT of ours; a text that is none is the token itself. */
export async function fromJwt(root: View, nowMs: number, text: string): Promise<string> {
  const key =
    text.split('.').length === 3 && text.startsWith('ey') ? await readKey(root) : undefined
  if (key === undefined) return text
  const { errors, jwtVerify } = await loadJose()
  try {
    const options = { algorithms: [ALGORITHM], currentDate: new Date(nowMs) }
    const { payload } = await jwtVerify(text, createPublicKey(key), options)
    return payload.jti ?? text
  } catch (error) {
    if (error instanceof errors.JOSEError) return text
    throw error
  }
}

async function readKey(root: View): Promise<KeyObject | undefined> {
  const stored = await root.get(keyRecords, KEY)
  return (
    stored &&
    createPrivateKey({ key: Buffer.from(stored.pkcs8, 'base64'), format: 'der', type: 'pkcs8' })
  )
}

/** Made when the first JWT is asked for. */
function makeKey(root: View): KeyObject {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-521' })
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
  root.put(keyRecords, KEY, { pkcs8: pkcs8.toString('base64') })
  pkcs8.fill(0)
  return privateKey
}
