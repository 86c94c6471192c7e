/** What `sys/policies/explain` answers, as lines for a person. */
import type { JsonObject } from '../../core/json.ts'
import { numberOf, objectOf, objectsOf, stringsOf, textOf } from '../client/secret.ts'

export function verdictLines(data: JsonObject): readonly string[] {
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
