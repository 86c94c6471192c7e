/** JSON that a test looks into. */
import { isJsonObject, parseJson, type JsonObject } from '../../core/json.ts'

/** @throws {Error} the text is no JSON object */
export function parseObject(text: string): JsonObject {
  const value = parseJson(text)
  if (!isJsonObject(value)) throw new Error(`expected a JSON object, got: ${text}`)
  return value
}

/** What stands at the end of such names; `undefined` where there is nothing. */
export function memberOf(value: unknown, ...names: readonly string[]): unknown {
  let inner = value
  for (const name of names) {
    inner = typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined
  }
  return inner
}

/** The elements of a list, each as an object; none where it is no list. */
export function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}
