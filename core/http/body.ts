/**
 * The body of a request as an object of fields: JSON whatever its declared type, but for forms. Limits are checked
 * before anything is parsed, and no error holds anything of the body.
 */
import { isUtf8 } from 'node:buffer'
import { BadRequest } from '../errors.ts'
import { isJsonObject, parseJson, type Json, type JsonObject } from '../json.ts'
import { checkPatchType, FORM, mediaTypeOf } from './content-type.ts'
import { findJsonFault } from './json-fault.ts'
import { checkComplexity, TooComplex, type BodyLimits } from './json-limits.ts'
import type { HttpRequest } from './message.ts'
import { parseForm } from './target.ts'

export { DEFAULT_BODY_LIMITS, type BodyLimits } from './json-limits.ts'

/** The body is not what it should be. */
export class BodyNotJson extends BadRequest {
  override readonly name = 'BodyNotJson'
  constructor(reason: string) {
    super(`failed to decode JSON input: ${reason}`)
  }
}

const NO_FIELDS: JsonObject = Object.freeze({})
const FIRST_OF_JSON = /^\s*[{[]/

/**
 * hot: every write.
 *
 * @returns no fields where the body is empty or `null`
 * @throws {BodyNotJson | TooComplex | InvalidTarget}
 * @throws {BadRequest | WrongPatchType} a PATCH without its content type
 */
export function parseBody(
  request: Pick<HttpRequest, 'method' | 'headers' | 'body'>,
  limits: BodyLimits,
): JsonObject {
  const { body } = request
  const header = request.headers['content-type']
  const contentType = typeof header === 'object' ? header[0] : header
  if (request.method === 'PATCH') checkPatchType(contentType)
  if (body.length === 0) return NO_FIELDS
  if (mediaTypeOf(contentType) === FORM && !FIRST_OF_JSON.test(body.toString('latin1', 0, 100))) {
    return formFields(body, limits)
  }
  return jsonFields(body, limits)
}

function jsonFields(body: Buffer, limits: BodyLimits): JsonObject {
  checkComplexity(body, limits)
  if (!isUtf8(body)) throw new BodyNotJson('the body is not valid UTF-8')
  const text = body.toString('utf8')
  if (text.trim() === '') return NO_FIELDS
  const value = parseText(text)
  if (value === null) return NO_FIELDS
  if (!isJsonObject(value)) {
    // The reference's text, which names the kind only.
    throw new BodyNotJson(
      `json: cannot unmarshal ${kindOf(value)} into Go value of type map[string]interface {}`,
    )
  }
  return value
}

function parseText(text: string): Json {
  try {
    return parseJson(text)
  } catch {
    // The parser's own message quotes the text.
    const { line, column, reason } = findJsonFault(text)
    throw new BodyNotJson(`line ${line}, column ${column}: ${reason}`)
  }
}

function kindOf(value: Json): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'bool' : 'number'
}

/** Several values of a name become one, joined by commas. */
function formFields(body: Buffer, limits: BodyLimits): JsonObject {
  const form = parseForm(body.toString('latin1'))
  if (form.size * 2 > limits.maxStrings)
    throw new TooComplex('number of strings', 'max_request_json_strings')
  return Object.fromEntries([...form].map(([name, values]) => [name, values.join(',')]))
}
