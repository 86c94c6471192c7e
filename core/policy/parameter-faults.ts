/**
 * Why the parameters of a request are not let through: the names of those at fault, never a value. Asked where a
 * decision is explained; `parameters.ts` is what decides.
 */
import type { JsonObject } from '../json.ts'
import { BATCH, demandedOfContext } from './context-parameters.ts'
import {
  hasDeniedContext,
  hasOtherContext,
  isAllowedValue,
  isDeniedValue,
  isGiven,
  type ParameterRule,
} from './parameters.ts'

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
    .filter((name) => data === undefined || !isGiven(name, data))
    .map((name): ParameterFault => ({ parameter: shownName(name), problem: 'required' }))
  const given = Object.keys(data ?? {}).flatMap((parameter) => {
    const problem = problemOf(rule, parameter, data)
    return problem === undefined ? [] : [{ parameter, problem }]
  })
  return [...missing, ...given]
}

/** Names in a context are as they are written. */
function shownName(name: string): string {
  return demandedOfContext(name) === undefined ? name.toLowerCase() : name
}

function problemOf(
  { deniedParameters: denied, allowedParameters: allowed }: ParameterRule,
  parameter: string,
  data: JsonObject | undefined,
): ParameterProblem | undefined {
  const name = parameter.toLowerCase()
  const value = data?.[parameter]
  if (denied.has('*')) return 'denied'
  const isBatch = name === BATCH && data !== undefined
  if (isBatch && hasDeniedContext(denied, data)) return 'denied_value'
  const deniedValues = denied.get(name)
  if (deniedValues !== undefined && value !== undefined) {
    if (deniedValues.length === 0) return 'denied'
    if (isDeniedValue(name, deniedValues, value)) return 'denied_value'
  }
  if (allowed.size === 0) return undefined
  if (isBatch && hasOtherContext(allowed, data)) return 'value_not_allowed'
  const allowedValues = allowed.get(name)
  if (allowedValues === undefined || value === undefined) {
    return allowed.has('*') ? undefined : 'not_allowed'
  }
  const allows = allowedValues.length === 0 || isAllowedValue(name, allowedValues, value)
  return allows ? undefined : 'value_not_allowed'
}
