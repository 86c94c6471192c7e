/** Passwords that follow a policy. */
import { assert } from '../errors.ts'
import type { Random } from '../random.ts'
import type { PasswordPolicy } from './policy.ts'

/** What one byte can choose among. */
const BYTE_VALUES = 256

/**
 * A password: of each rule the characters that it demands, the rest from the whole alphabet, in an order of chance.
 * (Drawing whole passwords until one pleases, as others do, may never end: ten rules of ten characters each.)
 */
export function generatePassword(
  { length, rules, alphabet }: PasswordPolicy,
  random: Pick<Random, 'bytes'>,
): string {
  const password: string[] = []
  for (const { charset, minChars } of rules) {
    const choices = [...new Set(charset)]
    for (let i = 0; i < minChars; i++) password.push(choose(choices, random))
  }
  while (password.length < length) password.push(choose(alphabet, random))
  return shuffled(password, random).join('')
}

function choose(choices: readonly string[], random: Pick<Random, 'bytes'>): string {
  const chosen = choices[below(choices.length, random)]
  assert(chosen !== undefined, 'a rule that demands characters has some')
  return chosen
}

/** Fisher and Yates: each order is equally likely. */
function shuffled(items: readonly string[], random: Pick<Random, 'bytes'>): string[] {
  const left = [...items]
  const result: string[] = []
  while (left.length > 0) result.push(...left.splice(below(left.length, random), 1))
  return result
}

/** A whole number from 0, each equally likely. @param count 1 to 256 */
function below(count: number, random: Pick<Random, 'bytes'>): number {
  assert(count >= 1 && count <= BYTE_VALUES, 'one byte chooses')
  const limit = BYTE_VALUES - (BYTE_VALUES % count)
  for (;;) {
    const byte = random.bytes(1).readUInt8()
    if (byte < limit) return byte % count
  }
}
