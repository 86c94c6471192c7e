/**
 * Rules on the parameter `encryption_context` (transit), whose values are objects of texts. It stands at the top of a request, or
 * in the items of its batch; wherever it does, a rule holds for it, so that a batch is no way around.
 */
import type { Plain } from '../hcl/read.ts'
import { isJsonObject, isList, type Json, type JsonObject } from '../json.ts'

export const ENCRYPTION_CONTEXT = 'encryption_context'
/** The items of a request that does several things. */
export const BATCH = 'batch_input'
const MEMBER = `${ENCRYPTION_CONTEXT}.`

/** What a rule that names `parameter` demands of a context: a member, or (`''`) that there is one; `undefined`: nothing. */
export function demandedOfContext(parameter: string): string | undefined {
  if (parameter.toLowerCase() === ENCRYPTION_CONTEXT) return ''
  return parameter.toLowerCase().startsWith(MEMBER) ? parameter.slice(MEMBER.length) : undefined
}

/** Whether each message of the request has a context, with this member (`''`: with any). */
export function haveContext(data: JsonObject, member: string): boolean {
  const own = data[ENCRYPTION_CONTEXT] ?? undefined
  const batch = data[BATCH] ?? undefined
  const all = batch === undefined ? [own] : itemsOf(batch).map((item) => item ?? own)
  return all.every((one) => isJsonObject(one) && (member === '' || Object.hasOwn(one, member)))
}

/** The contexts of the items of a batch that have one of their own. */
export function contextsOfBatch(data: JsonObject): readonly Json[] {
  return itemsOf(data[BATCH]).filter((one) => one !== undefined)
}

function itemsOf(batch: Json | undefined): readonly (Json | undefined)[] {
  if (!isList(batch)) return []
  return batch.map((item) =>
    isJsonObject(item) ? (item[ENCRYPTION_CONTEXT] ?? undefined) : undefined,
  )
}

/**
 * Whether a context is as one that a rule lists: it has each member that is listed, with one of its values. A value is a
 * text, with `*` before or behind as elsewhere, or a list of them; an empty list is any. The name `*` stands for further members.
 *
 * @param further it may have further members all the same
 */
export function fitsContext(
  listed: Plain,
  context: Json,
  isSame: (one: Plain, value: Json) => boolean,
  { further }: { readonly further: boolean },
): boolean {
  if (!isObject(listed) || !isJsonObject(context)) return isSame(listed, context)
  const names = Object.keys(listed).filter((name) => name !== '*')
  const more = further || Object.hasOwn(listed, '*')
  if (!more && Object.keys(context).length !== names.length) return false
  return names.every((name) => {
    const value = Object.hasOwn(context, name) ? context[name] : undefined
    const wanted = listed[name] ?? null
    if (value === undefined) return false
    if (!isList(wanted)) return isSame(wanted, value)
    return wanted.length === 0 || wanted.some((one) => isSame(one, value))
  })
}

function isObject(value: Plain): value is { readonly [key: string]: Plain } {
  return typeof value === 'object' && value !== null && !isList(value)
}
