/** Pages of the documentation as a reader meets them: what they tell to type. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')

export class NotOnPage extends Error {
  override readonly name = 'NotOnPage'
}

/**
 * The first block of a language after some words of a page.
 *
 * @param file from the repository's folder
 * @throws {NotOnPage} the page has no such words, or no such block after them
 */
export function blockAfter(file: string, words: string, language: string): string {
  const page = readFileSync(resolve(ROOT, file), 'utf8')
  const [, ...rest] = page.split(words)
  const block = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(rest.join(words))?.[1]
  if (block === undefined) throw new NotOnPage(`${file}: ${language} after "${words}"`)
  return block
}
