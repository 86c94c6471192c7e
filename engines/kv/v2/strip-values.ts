/** The shape of a secret without its values. */
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'

/**
 * Each leaf becomes `null`; empty objects, lists and objects at the deepest level are leaves.
 *
 * @param maxDepth levels of names that are shown; 0: all
 */
export function stripValues(value: JsonObject, maxDepth: number, depth = 1): JsonObject {
  const deeper = maxDepth === 0 || depth < maxDepth
  const strip = (inner: Json): Json =>
    deeper && isJsonObject(inner) && Object.keys(inner).length > 0
      ? stripValues(inner, maxDepth, depth + 1)
      : null
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, strip(inner)]))
}
