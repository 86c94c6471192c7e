/** `policy explain`: why the server would allow a request or refuse it, for a person. */
import { goDuration } from '../../core/duration.ts'
import type { JsonObject } from '../../core/json.ts'
import { askSecret } from '../client/logical.ts'
import { numberOf, objectOf, objectsOf, stringsOf, textOf } from '../client/secret.ts'
import { atLeast, command } from './command.ts'
import { inputOf, parseData } from './data-args.ts'
import { UsageProblem, orFail } from './failure.ts'
import { duration, text } from './flags.ts'

export const explain = command({
  usage: 'policy explain [options] OPERATION PATH [K=V...]',
  about: `Tells whether the policies of a token allow a request, which rule of which policy decides, and what a refused
request lacks. The token is your own, or the one of -for-token or -accessor. OPERATION is create, read, update, patch,
delete, list or scan; K=V are fields of the request, for rules on parameters.

  %p policy explain read secret/data/app
  %p policy explain -accessor=DZpIQDVlFzZdtDMySNpMZBpr update sys/policies/acl/app policy=x

It needs update and sudo on sys/policies/explain. The exit code is 0 whatever the verdict: scripts read -field=allowed.`,
  outputs: 'field',
  words: atLeast(2),
  flags: {
    'for-token': text('The token to look at ("-": from standard input); default: your own.', {
      alias: 'token',
    }),
    accessor: text('The accessor of the token to look at.'),
    'with-wrap-ttl': duration('The request asks for its answer to be wrapped for so long.'),
  },
  async run(call) {
    const { flags, args, connection, printer, field } = call
    const [operation = '', path = '', ...pairs] = args
    const given = flags['for-token']
    if (given !== undefined && flags.accessor !== undefined)
      throw new UsageProblem('Cannot use -for-token with -accessor!')
    const input = inputOf(call)
    const token = given === '-' ? (await input()).toString('utf8').trim() : given
    const wrapTtl = flags['with-wrap-ttl']
    const body: JsonObject = {
      operation,
      path,
      data: await parseData(pairs, input),
      ...(token === undefined ? {} : { token }),
      ...(flags.accessor === undefined ? {} : { accessor: flags.accessor }),
      ...(wrapTtl === undefined ? {} : { wrap_ttl: goDuration(wrapTtl) }),
    }
    const secret = await orFail(
      'Error explaining policies',
      askSecret(connection(), { method: 'POST', path: 'sys/policies/explain', body }),
    )
    if (field !== undefined && secret !== undefined) return printer.field(secret, field)
    if (printer.format !== 'table' || secret?.data === undefined) return printer.secret(secret)
    for (const line of verdictLines(secret.data)) printer.line(line)
  },
})

function verdictLines(data: JsonObject): readonly string[] {
  const allowed = data['allowed'] === true
  const namespace = textOf(data['namespace_path'])
  const where = namespace === '' ? '' : ` in namespace ${namespace}`
  const rule = objectOf(data['rule'])
  const overruled = objectsOf(data['overruled'])
  return [
    `${allowed ? 'Allowed' : 'Refused'}: ${textOf(data['operation'])} ${textOf(data['path'])}${where}`,
    ...section(
      'What it lacks',
      objectsOf(data['missing']).map((one) => `* ${textOf(one['text'])}`),
    ),
    ...section('What decides', rule === null ? [otherReason(data)] : ruleLines(rule)),
    ...section('What fits too, but is less close', overruled.flatMap(ruleLines)),
    ...section('Policies looked at', objectsOf(data['policies']).map(policyText)),
  ]
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)]
}

function otherReason({ by }: JsonObject): string {
  if (by === 'root') return 'the policy root'
  return by === 'everybody'
    ? 'nothing: the path asks no rights of this token'
    : 'no rule: none applies to the path'
}

function ruleLines(rule: JsonObject): readonly string[] {
  const path = textOf(rule['path'])
  const granted = (stringsOf(rule['capabilities']) ?? []).join(', ')
  return [
    `path ${JSON.stringify(path)}: ${granted}`,
    ...objectsOf(rule['policies']).map((source) => `  ${sourceText(source, path)}`),
  ]
}

function sourceText(source: JsonObject, rulePath: string): string {
  const namespace = textOf(source['namespace_path'])
  const path = textOf(source['path'])
  return [
    `policy ${textOf(source['name'])}`,
    ...(namespace === '' ? [] : [`of namespace ${namespace}`]),
    `line ${numberOf(source['line'])}`,
    ...(path === rulePath ? [] : [`as path ${JSON.stringify(path)}`]),
    (stringsOf(source['capabilities']) ?? []).join(' '),
  ].join(', ')
}

function policyText(policy: JsonObject): string {
  const name = textOf(policy['name'])
  return policy['found'] === true ? name : `${name} (there is no such policy: it grants nothing)`
}
