/**
 * Reads the report that pytest writes with --junit-xml, as far as that is needed here.
 */
export interface JunitCase {
  /** `tests.integration_tests.….test_module.TestClass` */
  readonly className: string
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** The first lines of why it failed or was skipped. */
  readonly message: string
}

const CASE = /<testcase (?<attributes>[^>]*?)(?:\/>|>(?<content>[\s\S]*?)<\/testcase>)/g
const OUTCOME = /<(?<kind>failure|error|skipped)\b(?<attributes>[^>]*)/
const MESSAGE_CHARACTERS = 400

export function parseJunit(xml: string): readonly JunitCase[] {
  return [...xml.matchAll(CASE)].map((match) => {
    const attributes = match.groups?.['attributes'] ?? ''
    const outcome = OUTCOME.exec(match.groups?.['content'] ?? '')?.groups
    const kind = outcome?.['kind']
    return {
      className: attribute(attributes, 'classname'),
      name: attribute(attributes, 'name'),
      outcome: kind === undefined ? 'passed' : kind === 'skipped' ? 'skipped' : 'failed',
      message: attribute(outcome?.['attributes'] ?? '', 'message').slice(0, MESSAGE_CHARACTERS),
    }
  })
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? ''
  return value.replace(/&(#\d+|\w+);/g, (_whole, entity: string) => character(entity))
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  amp: '&',
}

function character(entity: string): string {
  return entity.startsWith('#')
    ? String.fromCodePoint(Number(entity.slice(1)))
    : (ENTITIES[entity] ?? '')
}
