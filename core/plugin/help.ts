/** What `?help=1` says of a mount or of one of its paths, for a person and for a program. */
import type { Field } from './fields.ts'
import { openApiOf } from './openapi.ts'
import type { Path } from './path.ts'
import type { Plugin, PluginType } from './plugin.ts'

export interface HelpSubject {
  readonly type: PluginType
  readonly plugin: Plugin
  /** Where it is mounted, with a trailing '/'. */
  readonly prefix: string
  /** What is asked about; `undefined`: all of the mount. */
  readonly asked: { readonly path: string; readonly declared: Path } | undefined
}

export function helpOf({ type, plugin, prefix, asked }: HelpSubject): Record<string, unknown> {
  const help = asked === undefined ? typeHelp(type.help) : pathHelp(asked.path, asked.declared)
  const paths = asked === undefined ? plugin.paths : [asked.declared]
  return { help, openapi: openApiOf([{ prefix, paths, tag: type.type }]), see_also: null }
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
