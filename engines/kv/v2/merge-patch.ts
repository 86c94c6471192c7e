/** RFC 7396: how a patch changes a JSON object. Neither of the two is changed. */
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'

/** Objects are merged at any depth, `null` removes a member, all else replaces it. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  // A map, and not an object that is assigned to: a member may be called `__proto__`.
  const members = new Map<string, Json>(Object.entries(target))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name)
    else members.set(name, isJsonObject(value) ? mergeInto(members.get(name), value) : value)
  }
  return Object.fromEntries(members)
}

function mergeInto(target: Json | undefined, patch: JsonObject): JsonObject {
  return mergePatch(isJsonObject(target) ? target : {}, patch)
}
