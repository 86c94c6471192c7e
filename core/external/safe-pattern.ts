/**
 * Patterns of fields that a plugin declares run in the server, on what anybody sends. So they may be no more than what
 * matches quickly: no group is repeated, nothing looks around or back, and repeats and choices are few.
 */

/** The work grows with this power of the segment's length. */
const MAX_REPEATS = 2
/** Each doubles the work at the most. */
const MAX_CHOICES = 12
const MAX_CHARACTERS = 256
const LOOKS_AROUND = /\(\?(?!:)/
const LOOKS_BACK = /\\(?:[1-9]|k)/
const REPEATED_GROUP = /\)(?:[*+]|\{)/
const REPEAT = /[*+{]/g
const CHOICE = /[?|]/g
const GROUP = /\(\?:/g
/** What stands for itself, whatever it looks like. */
const LITERALS = /\\.|\[(?:\\.|[^\]\\])*\]/g

/** @returns why it is refused; `undefined`: it is fine */
export function faultOfPattern(pattern: string): string | undefined {
  if (pattern.length > MAX_CHARACTERS) return `it has more than ${MAX_CHARACTERS} characters`
  if (LOOKS_BACK.test(pattern)) return 'it refers to a group'
  const bare = pattern.replaceAll(LITERALS, 'x')
  if (LOOKS_AROUND.test(bare)) return 'it has a group of another kind than (?:…)'
  if (REPEATED_GROUP.test(bare)) return 'it repeats a group'
  if (count(bare, REPEAT) > MAX_REPEATS) return `it has more than ${MAX_REPEATS} repeats`
  if (count(bare.replaceAll(GROUP, '('), CHOICE) > MAX_CHOICES) {
    return `it has more than ${MAX_CHOICES} choices`
  }
  return isRegExp(pattern) ? undefined : 'it is no regular expression'
}

function count(text: string, what: RegExp): number {
  return text.match(what)?.length ?? 0
}

function isRegExp(pattern: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).source !== ''
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
