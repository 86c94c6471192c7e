/**
 * From a password policy's text to its rules (contract: sys-auth.md, Policies). Error texts are those that clients of
 * Vault know.
 */
import { listed } from '../errors.ts'
import type { HclObject } from '../hcl/ast.ts'
import { HclError } from '../hcl/errors.ts'
import { parseHcl } from '../hcl/parse.ts'
import { blocksOf } from '../hcl/read.ts'

/** So many characters of a set must be in each password. */
export interface CharsetRule {
  /** By code point; may hold one twice. */
  readonly charset: readonly string[]
  readonly minChars: number
}

export interface PasswordPolicy {
  /** In code points. */
  readonly length: number
  readonly rules: readonly CharsetRule[]
  /** All that may be in a password, each once. */
  readonly alphabet: readonly string[]
}

/** The text is no password policy; says why. */
export class InvalidPasswordPolicy extends Error {
  override readonly name = 'InvalidPasswordPolicy'
}

const MIN_LENGTH = 4
const MAX_LENGTH = 100
/** One byte chooses a character. */
const MAX_ALPHABET = 256
/** Letters, marks, numbers, punctuation, symbols, and of the blanks the plain one: what Go calls printable. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

/**
 * @param text HCL or JSON; one in base64 is decoded by the caller
 * @throws {InvalidPasswordPolicy}
 */
export function parsePasswordPolicy(text: string): PasswordPolicy {
  const { length, rules } = read(text)
  const alphabet = [...new Set(rules.flatMap(({ charset }) => charset))]
  const faults = [...lengthFaults(length, rules), ...alphabetFaults(alphabet)]
  if (faults.length > 0) throw invalid(listed(...faults))
  if (length < MIN_LENGTH || length > MAX_LENGTH) {
    throw new InvalidPasswordPolicy(
      `passwords must be between ${MIN_LENGTH} and ${MAX_LENGTH} characters`,
    )
  }
  if (rules.some(({ charset, minChars }) => minChars > 0 && charset.length === 0)) {
    throw new InvalidPasswordPolicy(
      'unable to construct test password from provided policy: are the rules impossible?',
    )
  }
  return { length, rules, alphabet }
}

function read(text: string): Pick<PasswordPolicy, 'length' | 'rules'> {
  try {
    const root = parseHcl(text)
    const length = wholeNumber(root, 'length')
    const rules = blocksOf(root, 'rule', 1).map(({ labels: [type = ''], body }) => {
      if (type === 'charset') return charsetRule(body)
      throw invalid(
        `unable to parse rules: unable to parse rule ${type}: unrecognized rule type ${type}`,
      )
    })
    return { length, rules }
  } catch (error) {
    if (error instanceof HclError) throw invalid(`unable to decode: ${error.message}`)
    throw error
  }
}

function charsetRule(body: HclObject): CharsetRule {
  const value = valueOf(body, 'charset')
  if (value !== undefined && value.kind !== 'string') {
    throw new HclError(value.at, 'expected charset to be a text')
  }
  return { charset: Array.from(value?.value ?? ''), minChars: wholeNumber(body, 'min-chars') }
}

/** The last one counts, as where maps are merged. */
function valueOf(object: HclObject, key: string) {
  return object.items.findLast((item) => item.key === key)?.value
}

/** 0 where it is not set. */
function wholeNumber(object: HclObject, key: string): number {
  const value = valueOf(object, key)
  if (value === undefined) return 0
  if (value.kind === 'number' && Number.isSafeInteger(value.value)) return value.value
  throw new HclError(value.at, `expected ${key} to be a whole number`)
}

function lengthFaults(length: number, rules: readonly CharsetRule[]): string[] {
  if (length <= 0) return ['length must be > 0']
  const least = rules.reduce((sum, { minChars }) => sum + Math.max(0, minChars), 0)
  if (length >= least) return []
  return [`specified rules require at least ${least} characters but ${length} is specified`]
}

function alphabetFaults(alphabet: readonly string[]): string[] {
  if (alphabet.length === 0) return ['no charset specified']
  if (alphabet.length > MAX_ALPHABET) {
    return [`charset is too long: limited to ${MAX_ALPHABET} characters`]
  }
  if (!alphabet.every((one) => PRINTABLE.test(one))) return ['non-printable character in charset']
  return []
}

function invalid(why: string): InvalidPasswordPolicy {
  return new InvalidPasswordPolicy(`invalid password policy: ${why}`)
}
