/**
 * Passwords, as they are stored. New ones are hashed with argon2id (RFC 9106) at OWASP's parameters, on the threads of the
 * process; hashes of bcrypt that were brought along are verified, and become argon2id at their first login.
 */
import { argon2, timingSafeEqual } from 'node:crypto'
import type { Random } from '../../core/random.ts'

/** OWASP's cheat sheet on password storage: 19 MiB, two passes, one lane. */
const MEMORY_KIB = 19_456
const PASSES = 2
const LANES = 1
const SALT_BYTES = 16
const TAG_BYTES = 32

const ARGON2 = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/
/** Modular crypt format: version, cost from 4 to 31, 22 characters of salt, 31 of hash. */
const BCRYPT = /^\$2[abxy]?\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/

export const isBcrypt = (hash: string) => BCRYPT.test(hash)

/** In PHC's string format. */
export async function hashPassword(
  password: string,
  { bytes }: Pick<Random, 'bytes'>,
): Promise<string> {
  const salt = bytes(SALT_BYTES)
  const tag = await derive(password, salt)
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${unpadded(salt)}$${unpadded(tag)}`
}

/** @param hash that nobody has, where there is no such user: finding that out takes as long */
export async function isRight(password: string, hash: string): Promise<boolean> {
  const [, salt, tag] = ARGON2.exec(hash) ?? []
  if (salt === undefined || tag === undefined) return isRightByBcrypt(password, hash)
  const expected = Buffer.from(tag, 'base64')
  const found = await derive(password, Buffer.from(salt, 'base64'))
  return found.length === expected.length && timingSafeEqual(found, expected)
}

/** What stands for the hash of a user who is not there. */
export const NOBODY = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${'A'.repeat(22)}$${'A'.repeat(43)}`

/** The library is loaded when the first such hash is met. */
async function isRightByBcrypt(password: string, hash: string): Promise<boolean> {
  const { verify } = await import('@node-rs/bcrypt')
  return verify(password, hash)
}

const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')

function derive(password: string, nonce: Buffer): Promise<Buffer> {
  const message = Buffer.from(password)
  const parameters = {
    message,
    nonce,
    parallelism: LANES,
    tagLength: TAG_BYTES,
    memory: MEMORY_KIB,
    passes: PASSES,
  }
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, tag) => {
      message.fill(0)
      if (error === null) resolve(tag)
      else reject(error)
    })
  })
}
