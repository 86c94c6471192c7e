/** JSON values, as requests and answers hold them. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** Members that are `undefined` are not sent. */
export interface JsonObject {
  readonly [name: string]: Json | undefined
}

/** @returns undefined: it is no JSON, or no object */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined // a proxy's page, or nothing
  }
}

/** @param value a part of what was parsed */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
