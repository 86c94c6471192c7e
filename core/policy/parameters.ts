/**
 * Whether the parameters of a request are those that a rule lets through (contract: http.md, 7).
 */
import type { Plain } from '../hcl/read.ts'
import { isJsonObject, isList, type Json, type JsonObject } from '../json.ts'
import {
  BATCH,
  contextsOfBatch,
  demandedOfContext,
  ENCRYPTION_CONTEXT,
  fitsContext,
  haveContext,
} from './context-parameters.ts'
import type { ParameterRules } from './policy.ts'

/** The parts of a rule that are about parameters. */
export interface ParameterRule {
  readonly allowedParameters: ParameterRules
  readonly deniedParameters: ParameterRules
  readonly requiredParameters: readonly string[]
}

/**
 * Parameters that hold names of policies. Engines fold their case and take a list or a string with commas, so here
 * they are compared name by name, in the form that counts in the end.
 */
const POLICY_LISTS: ReadonlySet<string> = new Set([
  'policies',
  'token_policies',
  'identity_policies',
  'allowed_policies',
  'disallowed_policies',
])

/** hot: where a rule says nothing of parameters, and most do not, this looks at none. */
export function permitsParameters(rule: ParameterRule, data: JsonObject | undefined): boolean {
  if (rule.requiredParameters.length > 0 && !hasRequired(rule.requiredParameters, data))
    return false
  if (data === undefined) return true
  if (rule.deniedParameters.size > 0 && isDenied(rule.deniedParameters, data)) return false
  return rule.allowedParameters.size === 0 || isAllowed(rule.allowedParameters, data)
}

function hasRequired(required: readonly string[], data: JsonObject | undefined): boolean {
  return data !== undefined && required.every((name) => isGiven(name, data))
}

/** @param name of a parameter, or `encryption_context.NAME` */
export function isGiven(name: string, data: JsonObject): boolean {
  const member = demandedOfContext(name)
  return member === undefined ? Object.hasOwn(data, name.toLowerCase()) : haveContext(data, member)
}

function isDenied(denied: ParameterRules, data: JsonObject): boolean {
  const names = Object.keys(data)
  if (denied.has('*') && names.length > 0) return true
  return names.some((given) => {
    const name = given.toLowerCase()
    const values = denied.get(name)
    const value = data[given]
    if (value === undefined) return false
    if (name === BATCH && hasDeniedContext(denied, data)) return true
    return values !== undefined && isDeniedValue(name, values, value)
  })
}

/** Whether an item of the batch has a context that the rule denies. */
export function hasDeniedContext(denied: ParameterRules, data: JsonObject): boolean {
  const values = denied.get(ENCRYPTION_CONTEXT)
  return (
    values !== undefined &&
    contextsOfBatch(data).some((one) => isDeniedValue(ENCRYPTION_CONTEXT, values, one))
  )
}

/**
 * A value is denied in whatever form it comes: alone, in a list, in a string with commas; a number also as one, though
 * a whitelist takes numbers as strings only.
 */
export function isDeniedValue(name: string, values: readonly Plain[], value: Json): boolean {
  if (values.length === 0) return true
  if (name === ENCRYPTION_CONTEXT) {
    return values.some((one) => fitsContext(one, value, isSame, { further: true }))
  }
  const forms = POLICY_LISTS.has(name) ? policyNames(value) : piecesOf(value)
  const denied = POLICY_LISTS.has(name) ? values.map(foldCase) : values
  return denied.some(
    (one) => equals(one, value, { numbers: true }) || forms.some((form) => matches(one, form)),
  )
}

function piecesOf(value: Json): readonly Json[] {
  if (isList(value)) return value.flatMap(piecesOf)
  return typeof value === 'string'
    ? [value, ...value.split(',').map((piece) => piece.trim())]
    : [value]
}

function matches(one: Plain, form: Json): boolean {
  return typeof one === 'string' && typeof form === 'string'
    ? matchesGlob(one, form)
    : equals(one, form, { numbers: true })
}

function isAllowed(allowed: ParameterRules, data: JsonObject): boolean {
  const anyOther = allowed.has('*')
  return Object.keys(data).every((given) => {
    const name = given.toLowerCase()
    const values = allowed.get(name)
    const value = data[given]
    if (name === BATCH && hasOtherContext(allowed, data)) return false
    if (values === undefined || value === undefined) return anyOther
    return values.length === 0 || isAllowedValue(name, values, value)
  })
}

/** Whether an item of the batch has a context that is not among those that the rule allows. */
export function hasOtherContext(allowed: ParameterRules, data: JsonObject): boolean {
  const values = allowed.get(ENCRYPTION_CONTEXT) ?? []
  return (
    values.length > 0 &&
    !contextsOfBatch(data).every((one) => isAllowedValue(ENCRYPTION_CONTEXT, values, one))
  )
}

export function isAllowedValue(name: string, values: readonly Plain[], value: Json): boolean {
  if (name === ENCRYPTION_CONTEXT) {
    return values.some((one) => fitsContext(one, value, isSame, { further: false }))
  }
  if (!POLICY_LISTS.has(name)) return values.some((one) => isSame(one, value))
  const names = policyNames(value)
  const folded = values.map(foldCase)
  return (
    folded.some((one) => equals(one, names, { numbers: false })) ||
    (names.length > 0 && names.every((policy) => folded.some((one) => isSame(one, policy))))
  )
}

/** In the form in which tokens keep them. What is no list of names stays as it is, and so is like none. */
function policyNames(value: Json): readonly Json[] {
  const list = typeof value === 'string' ? value.split(',') : isList(value) ? value : [value]
  return list
    .map((one) => (typeof one === 'string' ? one.trim().toLowerCase() : one))
    .filter((one) => one !== '')
}

function foldCase(value: Plain): Plain {
  if (isList(value)) return value.map(foldCase)
  return typeof value === 'string' ? value.toLowerCase() : value
}

function isSame(one: Plain, value: Json): boolean {
  return typeof one === 'string' && typeof value === 'string'
    ? matchesGlob(one, value)
    : equals(one, value, { numbers: false })
}

/** `*` before, behind or around a text stands for anything; alone it is a text like any other. */
function matchesGlob(glob: string, text: string): boolean {
  if (glob.length < 2) return text === glob
  const before = glob.startsWith('*')
  const behind = glob.endsWith('*')
  if (before && behind) return text.includes(glob.slice(1, -1))
  if (before) return text.endsWith(glob.slice(1))
  return behind ? text.startsWith(glob.slice(0, -1)) : text === glob
}

/** Deeply. A policy's number and a request's are alike only where `numbers` says so. */
function equals(one: Plain, value: Json, options: { numbers: boolean }): boolean {
  if (isList(one)) {
    return (
      isList(value) &&
      value.length === one.length &&
      one.every((item, index) => equals(item, value[index] ?? null, options))
    )
  }
  if (typeof one === 'object' && one !== null) {
    const names = Object.keys(one)
    return (
      isJsonObject(value) &&
      Object.keys(value).length === names.length &&
      names.every(
        (name) =>
          Object.hasOwn(value, name) && equals(one[name] ?? null, value[name] ?? null, options),
      )
    )
  }
  if (typeof one !== 'number') return one === value
  return options.numbers && numberOf(value) === one
}

function numberOf(value: Json): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'string' && value.trim() !== '') return Number(value)
  return JSON.isRawJSON(value) ? Number(value.rawJSON) : undefined
}
