/** Help texts, made from the declarations of the commands. */
import { wrapIndented } from '../output/wrap.ts'
import type { Command } from './command.ts'
import { commonFlags } from './command.ts'
import type { Entry } from './catalog.ts'
import type { Flags } from './flags.ts'
import type { Program } from './program.ts'

const COMMON = ['read', 'write', 'delete', 'list', 'login', 'server', 'status', 'unwrap']

/** What the program says without a command. */
export function programHelp(catalog: readonly Entry[], program: Program): string {
  const top = catalog.filter(({ name }) => !name.includes(' '))
  const common = COMMON.flatMap((name) => top.find((entry) => entry.name === name) ?? [])
  const others = top.filter((entry) => !common.includes(entry))
  return [
    `Usage: ${program.command} <command> [args]`,
    '',
    'Common commands:',
    ...entryLines(common),
    '',
    'Other commands:',
    ...entryLines(others),
    '',
    `"${program.command} <command> -h" tells more about each.`,
  ].join('\n')
}

/** What a group of commands (`kv`) says. */
export function groupHelp(group: Entry, catalog: readonly Entry[], program: Program): string {
  const below = catalog.filter(
    ({ name }) =>
      name.startsWith(`${group.name} `) && !name.slice(group.name.length + 1).includes(' '),
  )
  return [
    `Usage: ${program.command} ${group.name} <subcommand> [options] [args]`,
    '',
    `  ${group.summary}.`,
    '',
    'Subcommands:',
    ...entryLines(
      below.map((entry) => ({ ...entry, name: entry.name.slice(group.name.length + 1) })),
    ),
  ].join('\n')
}

export function commandHelp(command: Command, program: Program): string {
  const paragraphs = command.about.replaceAll('%p', program.command).split('\n\n')
  return [
    `Usage: ${program.command} ${command.usage}`,
    ...paragraphs.map((paragraph) => `\n${paragraphText(paragraph)}`),
    ...flagSection('Command options', command.flags),
    ...flagSection('Common options', withoutOwn(commonFlags(command.outputs), command.flags)),
  ].join('\n')
}

/** An example (indented in the source) keeps its lines. */
function paragraphText(paragraph: string): string {
  return paragraph.startsWith('  ')
    ? paragraph.replace(/^/gm, '    ')
    : wrapIndented(paragraph.replaceAll(/\s+/g, ' '), 2)
}

function flagSection(title: string, flags: Flags): readonly string[] {
  const shown = Object.entries(flags).filter(([, { hidden }]) => !hidden)
  if (shown.length === 0) return []
  return [
    `\n${title}:`,
    ...shown.map(([name, { sample, about, aliases }]) => {
      const names = [name, ...aliases].map((each) => `-${each}`).join(', ')
      return `\n  ${names}${sample === undefined ? '' : `=<${sample}>`}\n${wrapIndented(about, 6)}`
    }),
  ]
}

function withoutOwn(common: Flags, own: Flags): Flags {
  return Object.fromEntries(Object.entries(common).filter(([name]) => !(name in own)))
}

function entryLines(entries: readonly { name: string; summary: string }[]): readonly string[] {
  const width = Math.max(...entries.map(({ name }) => name.length)) + 4
  return entries.map(({ name, summary }) => `    ${name.padEnd(width)}${summary}`)
}
