/**
 * Breaks a paragraph into lines of even length: of all ways to break it, the one whose lines leave the least squared
 * room, the last line not counted. Vault's command line breaks its texts so, and scripts compare them.
 */
const LINE_CHARACTERS = 78
/** A line that is too long because of one long word costs this much more, but is allowed. */
const TOO_LONG_COST = 100_000

export function wrapText(text: string, width: number = LINE_CHARACTERS): string {
  const words = text.trim().replaceAll('\n', ' ').split(' ')
  const ends = bestEnds(words, width)
  const lines: string[] = []
  for (let start = 0; start < words.length; start = ends[start] ?? words.length)
    lines.push(words.slice(start, ends[start]).join(' '))
  return lines.join('\n')
}

/** `wrapText`, each line behind `indent` blanks that count as part of its width. */
export function wrapIndented(text: string, indent: number): string {
  const margin = ' '.repeat(indent)
  return wrapText(text, LINE_CHARACTERS - indent)
    .split('\n')
    .map((line) => margin + line)
    .join('\n')
}

/** For each word, if it begins a line: which word begins the next line. Found from the end backwards. */
function bestEnds(words: readonly string[], width: number): number[] {
  const costs: number[] = []
  const ends: number[] = []
  for (let start = words.length - 1; start >= 0; start--) {
    const best = bestEnd(words, start, width, costs)
    costs[start] = best.cost
    ends[start] = best.end
  }
  return ends
}

function bestEnd(
  words: readonly string[],
  start: number,
  width: number,
  costs: readonly number[],
): { end: number; cost: number } {
  let best = { end: words.length, cost: Number.POSITIVE_INFINITY }
  let length = -1
  for (let end = start + 1; end <= words.length; end++) {
    length += 1 + (words[end - 1]?.length ?? 0)
    if (end === words.length) return length <= width || end === start + 1 ? { end, cost: 0 } : best
    const cost = (width - length) ** 2 + (length > width ? TOO_LONG_COST : 0) + (costs[end] ?? 0)
    if (cost < best.cost) best = { end, cost }
  }
  return best
}
