/**
 * Settings from the environment. Each has three names: `KEYHOLD_X` wins over `BAO_X`, that over `VAULT_X`; one that is
 * set to nothing hides the later ones.
 */
export type Environment = Readonly<Record<string, string | undefined>>

const PREFIXES = ['KEYHOLD_', 'BAO_', 'VAULT_']

/** @param name without its prefix: `ADDR`; @returns undefined where it is not set, or set to nothing */
export function setting(env: Environment, name: string): string | undefined {
  for (const prefix of PREFIXES) {
    const value = env[prefix + name]
    if (value !== undefined) return value === '' ? undefined : value
  }
  return undefined
}

/** Go's texts of a true boolean. */
export function isTrue(text: string | undefined): boolean {
  return text !== undefined && ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)
}
