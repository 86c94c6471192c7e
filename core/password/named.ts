/** Passwords for engines: by a password policy of their namespace, or as the server makes them where none is named. */
import { z } from 'zod'
import { BadRequest, listed } from '../errors.ts'
import { namespacePrefix } from '../namespaces.ts'
import type { Random } from '../random.ts'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'
import { generatePassword } from './generate.ts'
import { parsePasswordPolicy, type PasswordPolicy } from './policy.ts'

export const passwordPolicies = kind('password policy', z.object({ text: z.string() }).readonly())

/** Where those of a namespace lie. */
export const passwordPolicyFolder = (namespaceId: string) =>
  `${namespacePrefix(namespaceId)}password-policy/`

const LOWER = Array.from('abcdefghijklmnopqrstuvwxyz')
const UPPER = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ')
const DIGITS = Array.from('0123456789')
/** As Vault has it: 20 characters, at least one of each set. Some 117 bits. */
const DEFAULT_POLICY: PasswordPolicy = {
  length: 20,
  rules: [LOWER, UPPER, DIGITS, ['-']].map((charset) => ({ charset, minChars: 1 })),
  alphabet: [...LOWER, ...UPPER, ...DIGITS, '-'],
}

export interface PasswordContext {
  /** Of the whole storage. */
  readonly root: View
  readonly namespaceId: string
  readonly random: Pick<Random, 'bytes'>
}

/**
 * @param name of the policy; empty: the default
 * @throws {BadRequest} there is no such policy
 */
export async function passwordBy(
  { root, namespaceId, random }: PasswordContext,
  name: string,
): Promise<string> {
  if (name === '') return generatePassword(DEFAULT_POLICY, random)
  const record = await root.get(passwordPolicies, passwordPolicyFolder(namespaceId) + name)
  if (record !== undefined) return generatePassword(parsePasswordPolicy(record.text), random)
  throw new BadRequest(listed('failed to generate password: no password policy found'))
}
