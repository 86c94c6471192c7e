/**
 * Names of policies, made canonical in one place before anything looks at them: no cache key, storage key or policy
 * check sees another form (advisories: case variants of `root`, `../root`).
 */
import { BadRequest } from '../errors.ts'

export const ROOT_POLICY = 'root'
export const DEFAULT_POLICY = 'default'
export const RESPONSE_WRAPPING_POLICY = 'response-wrapping'

/** Names and their storage keys stay short of every storage's limit. */
const MAX_NAME_CHARACTERS = 256
/** ASCII only: nothing outside it folds to a letter. Folders (`team/read`) are names too. */
const NAME = /^[A-Za-z0-9_@:+.-]+(?:\/[A-Za-z0-9_@:+.-]+)*$/

/** The name cannot be a policy's. */
export class InvalidPolicyName extends BadRequest {
  override readonly name = 'InvalidPolicyName'
  constructor() {
    super(
      `invalid policy name; it may have 1 to ${MAX_NAME_CHARACTERS} letters, digits, "_", "-", "@", ":", "+", "." and folders with "/", but no folder "." or ".."`,
    )
  }
}

/** A policy that the server makes for itself. */
export class PolicyNotAssignable extends BadRequest {
  override readonly name = 'PolicyNotAssignable'
  constructor(policy: string) {
    super(`cannot assign policy "${policy}"`)
  }
}

/** Whether a policy may have this name, in whatever case. */
export function isPolicyName(name: string): boolean {
  const trimmed = name.trim()
  const folders = trimmed.split('/')
  return (
    trimmed.length <= MAX_NAME_CHARACTERS &&
    NAME.test(trimmed) &&
    !folders.includes('.') &&
    !folders.includes('..')
  )
}

/**
 * @returns without blanks around it, in lower case
 * @throws {InvalidPolicyName}
 */
export function canonicalPolicyName(name: string): string {
  if (!isPolicyName(name)) throw new InvalidPolicyName()
  return name.trim().toLowerCase()
}

/**
 * A list of policies as tokens, roles, entities and groups keep it: canonical names, each once, sorted; empty ones left
 * out. With `root` in it, it is `["root"]`: whether the caller may give that, is for the caller to check.
 *
 * @param options `addDefault`: `default` joins, except beside `root`
 * @throws {InvalidPolicyName}
 * @throws {PolicyNotAssignable} `response-wrapping` is among them
 */
export function canonicalPolicyNames(
  names: readonly string[],
  options: { addDefault: boolean },
): readonly string[] {
  const canonical = new Set(names.filter((name) => name.trim() !== '').map(canonicalPolicyName))
  if (canonical.has(RESPONSE_WRAPPING_POLICY))
    throw new PolicyNotAssignable(RESPONSE_WRAPPING_POLICY)
  if (canonical.has(ROOT_POLICY)) return [ROOT_POLICY]
  if (options.addDefault) canonical.add(DEFAULT_POLICY)
  return [...canonical].toSorted()
}
