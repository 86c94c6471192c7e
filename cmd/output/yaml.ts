/** YAML as Vault prints it: YAML 1.1 rules for what needs quotes, keys sorted, lists not indented, nothing folded. */
import { Scalar, stringify } from 'yaml'
import { membersOf } from './printable.ts'
import type { Printable } from './printable.ts'

export function yamlText(value: Printable): string {
  return stringify(plain(value), {
    version: '1.1',
    sortMapEntries: true,
    indentSeq: false,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  }).trimEnd()
}

/** Maps become objects, and numbers whose text matters keep it as far as YAML's writer can. */
function plain(value: unknown): unknown {
  if (JSON.isRawJSON(value)) return numberScalar(value.rawJSON)
  if (Array.isArray(value)) return value.map(plain)
  const members = membersOf(value)
  return members === undefined
    ? value
    : Object.fromEntries(members.map(([key, item]) => [key, plain(item)]))
}

function numberScalar(text: string): unknown {
  if (/^-?\d+$/.test(text)) return BigInt(text)
  const scalar = new Scalar(Number(text))
  scalar.minFractionDigits = /\.(\d+)$/.exec(text)?.[1]?.length ?? 0
  return scalar
}
