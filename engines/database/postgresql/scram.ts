/** What PostgreSQL stores of a password for SCRAM-SHA-256 (RFC 5802, RFC 7677), made here so that it never sees the password. */
import { createHmac, hash, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

const ITERATIONS = 4096
const SALT_BYTES = 16
const KEY_BYTES = 32
const derive = promisify(pbkdf2)

/** @param password ASCII: other ones would have to be prepared (RFC 4013), and are not */
export async function scramVerifier(
  password: string,
  salt = randomBytes(SALT_BYTES),
): Promise<string> {
  const salted = await derive(password, salt, ITERATIONS, KEY_BYTES, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  const storedKey = hash('sha256', clientKey, 'base64')
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64')
  salted.fill(0)
  clientKey.fill(0)
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}
