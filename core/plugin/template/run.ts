/** Renders a template that was parsed. */
import type { Command, Operand, Part, Pipeline } from './parse.ts'

export type Value = string | number | boolean
/** A function of templates; what it throws is told to who wrote the template. */
export type TemplateFunction = (...args: readonly Value[]) => Value

/** A function was given what it cannot take. */
export class TemplateFailure extends Error {
  override readonly name = 'TemplateFailure'
}

export interface Scope {
  readonly functions: ReadonlyMap<string, TemplateFunction>
  readonly fields: ReadonlyMap<string, string>
}

/** @throws {TemplateFailure} */
export function renderTemplate(parts: readonly Part[], scope: Scope): string {
  let text = ''
  for (const part of parts) text += renderPart(part, scope)
  return text
}

function renderPart(part: Part, scope: Scope): string {
  switch (part.kind) {
    case 'text':
      return part.text
    case 'value':
      return String(valueOf(part.pipeline, scope))
    case 'if': {
      const holds = valueOf(part.condition, scope)
      const isSet = holds !== '' && holds !== 0 && holds !== false
      return renderTemplate(isSet ? part.whenSet : part.whenEmpty, scope)
    }
  }
}

function valueOf(pipeline: Pipeline, scope: Scope): Value {
  let value: Value | undefined
  for (const command of pipeline) value = commandValue(command, scope, value)
  return value ?? ''
}

/** @param before the result of the command before it in the pipeline */
function commandValue({ head, args }: Command, scope: Scope, before: Value | undefined): Value {
  if (head.kind !== 'function') {
    if (before === undefined) return operandValue(head, scope)
    throw new TemplateFailure('only a function can stand after "|"')
  }
  const given = args.map((arg) => operandValue(arg, scope))
  return call(head.name, scope, before === undefined ? given : [...given, before])
}

function operandValue(operand: Operand, scope: Scope): Value {
  switch (operand.kind) {
    case 'literal':
      return operand.value
    case 'field':
      return scope.fields.get(operand.name) ?? ''
    case 'group':
      return valueOf(operand.pipeline, scope)
    case 'function':
      return call(operand.name, scope, [])
  }
}

function call(name: string, { functions }: Scope, args: readonly Value[]): Value {
  const found = functions.get(name)
  if (found === undefined) throw new TemplateFailure('function not defined')
  return found(...args)
}
