/** `?help=1`: what lies at a path, for a person and for a program. */
import { NotFound, UnsupportedPath } from '../errors.ts'
import type { Answer } from '../request/exchange.ts'
import type { Route } from '../request/route.ts'
import { openApiOf } from './openapi.ts'
import type { Field } from './fields.ts'
import type { Path } from './path.ts'

/** @throws {NotFound} nothing is mounted there @throws {UnsupportedPath} the engine has no such path */
export function renderHelp(_requestId: string, route: Route): Answer {
  const { target } = route
  if (target === undefined) {
    throw new NotFound(`no handler for route "${route.path}". route entry not found.`)
  }
  const path = route.path.slice(target.entry.path.length)
  if (path !== '' && target.match === undefined) throw new UnsupportedPath()
  const declared = path === '' ? undefined : target.match?.path
  const paths = declared === undefined ? target.instance.plugin.paths : [declared]
  const help =
    declared === undefined ? typeHelp(target.instance.type.help) : pathHelp(path, declared)
  const openapi = openApiOf([{ prefix: target.entry.path, paths, tag: target.entry.type }])
  const body = `${JSON.stringify({ help, openapi, see_also: null })}\n`
  return {
    response: {},
    auth: undefined,
    warnings: [],
    wrapInfo: undefined,
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body,
  }
}

function typeHelp(text: string): string {
  return `## DESCRIPTION\n\n${text}\n`
}

function pathHelp(path: string, declared: Path): string {
  const fields = Object.entries(declared.fields).map(([name, field]) => fieldHelp(name, field))
  return [
    `Request:        ${path}`,
    `Matching Route: ${declared.patterns.map(({ text }) => text).join(', ')}`,
    '',
    declared.summary,
    ...(fields.length > 0 ? ['', '## PARAMETERS', '', ...fields] : []),
    '',
    '## DESCRIPTION',
    '',
    declared.description,
    '',
  ].join('\n')
}

function fieldHelp(name: string, { facts }: Field<unknown>): string {
  const more = [facts.deprecated ? 'deprecated' : '', facts.required ? 'required' : '']
  const notes = more.filter((note) => note !== '').map((note) => `, ${note}`)
  return `    ${name} (${facts.schema.type}${notes.join('')})\n        ${facts.description}\n`
}
