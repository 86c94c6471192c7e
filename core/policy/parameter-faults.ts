/**
 * Why the parameters of a request are not let through: the names of those at fault, never a value. Asked where a
 * decision is explained; `parameters.ts` is what decides.
 */
import type { JsonObject } from '../json.ts'
import { isAllowedValue, isDeniedValue, type ParameterRule } from './parameters.ts'

export interface ParameterFault {
  /** As the request has it; of a missing one as the rule has it, in lower case. */
  readonly parameter: string
  readonly problem: ParameterProblem
}

/**
 * `required`: it is missing. `denied`: the rule denies it, whatever it holds. `denied_value`: what it holds.
 * `not_allowed`: the rule lists what is allowed, and it is not there. `value_not_allowed`: it is, with other values.
 */
export type ParameterProblem =
  | 'required'
  | 'denied'
  | 'denied_value'
  | 'not_allowed'
  | 'value_not_allowed'

/** @returns empty exactly where `permitsParameters` is true */
export function parameterFaults(
  rule: ParameterRule,
  data: JsonObject | undefined,
): readonly ParameterFault[] {
  const missing = rule.requiredParameters
    .map((name) => name.toLowerCase())
    .filter((name) => data === undefined || !Object.hasOwn(data, name))
    .map((parameter): ParameterFault => ({ parameter, problem: 'required' }))
  const given = Object.keys(data ?? {}).flatMap((parameter) => {
    const problem = problemOf(rule, parameter, data)
    return problem === undefined ? [] : [{ parameter, problem }]
  })
  return [...missing, ...given]
}

function problemOf(
  { deniedParameters: denied, allowedParameters: allowed }: ParameterRule,
  parameter: string,
  data: JsonObject | undefined,
): ParameterProblem | undefined {
  const name = parameter.toLowerCase()
  const value = data?.[parameter]
  if (denied.has('*')) return 'denied'
  const deniedValues = denied.get(name)
  if (deniedValues !== undefined && value !== undefined) {
    if (deniedValues.length === 0) return 'denied'
    if (isDeniedValue(name, deniedValues, value)) return 'denied_value'
  }
  if (allowed.size === 0) return undefined
  const allowedValues = allowed.get(name)
  if (allowedValues === undefined || value === undefined) {
    return allowed.has('*') ? undefined : 'not_allowed'
  }
  const allows = allowedValues.length === 0 || isAllowedValue(name, allowedValues, value)
  return allows ? undefined : 'value_not_allowed'
}
