/** In a plugin's process: a path as the data that the server needs of it. */
import type { Path } from '../../plugin/path.ts'
import type { Declared } from '../declared.ts'

export function declare(path: Path): Declared {
  const { summary, description, tellsCreate, takesAnyField, examples } = path
  const fields: Declared['fields'] = {}
  for (const [name, { facts }] of Object.entries(path.fields)) fields[name] = facts
  const operations: Declared['operations'] = {}
  for (const [name, facts] of path.operations) {
    const { summary: text, sudo, unauthenticated } = facts
    operations[name] = { summary: text, sudo, unauthenticated }
  }
  return {
    patterns: path.patterns.map(({ text }) => text),
    summary,
    description,
    fields,
    operations,
    tellsCreate,
    takesAnyField,
    examples: examples.map((example) => ({ ...example })),
  }
}
