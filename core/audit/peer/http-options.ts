/** The options of a device that posts lines: `uri`, `headers`, `batch`, `ca_cert`, `write_timeout`. */
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { BadRequest } from '../../errors.ts'
import { isJsonObject, parseJson, type Json } from '../../json.ts'
import { readAuthorities, readWriteTimeout } from './address.ts'

export interface HttpSink {
  readonly kind: 'http'
  readonly uri: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  /** Lines that wait together are one body, a line each; else each is a body. */
  readonly batch: boolean
  readonly ca: string | undefined
  readonly timeoutMs: number
}

const MAX_URI_CHARACTERS = 2_048
const MAX_HEADERS = 64
/** The connection's own, made by who sends. */
const NOT_ALLOWED: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
/** Words that elsewhere stand for a variable or a file of the server: whoever enables a device could read them so. */
const INDIRECT = /^(?:env|file):\/\//i

/** @throws {BadRequest} an option is wrong */
export function readHttpSink(options: Readonly<Record<string, string>>, batch: boolean): HttpSink {
  const { uri, headers, ca_cert: ca } = options
  if (uri === undefined) throw new BadRequest('uri is required')
  const type = batch ? 'application/x-ndjson' : 'application/json'
  return {
    kind: 'http',
    uri: readUri(uri),
    headers: { 'content-type': [type], 'user-agent': ['Keyhold'], ...readHeaders(headers) },
    batch,
    ca: readAuthorities(ca),
    timeoutMs: readWriteTimeout(options),
  }
}

function readUri(text: string): URL {
  if (INDIRECT.test(text)) throw indirect('uri')
  const uri = text.length <= MAX_URI_CHARACTERS ? URL.parse(text) : null
  if (uri === null || (uri.protocol !== 'https:' && uri.protocol !== 'http:'))
    throw new BadRequest('"uri" must be a URI such as "https://logs.example/ingest"')
  return uri
}

function readHeaders(text: string | undefined): Record<string, string[]> {
  if (text === undefined || text === '') return {}
  const parsed = parsedHeaders(text)
  if (!isJsonObject(parsed) || Object.keys(parsed).length > MAX_HEADERS) throw malformed()
  const headers: Record<string, string[]> = {}
  for (const [name, values] of Object.entries(parsed)) {
    const checked = readValues(name, values)
    if (checked.length > 0) headers[name.toLowerCase()] = checked
  }
  return headers
}

function parsedHeaders(text: string): Json {
  try {
    return parseJson(text)
  } catch {
    throw malformed()
  }
}

function readValues(name: string, values: Json): string[] {
  if (NOT_ALLOWED.has(name.toLowerCase()))
    throw new BadRequest('"headers" may not hold headers of the connection, such as "host"')
  if (!Array.isArray(values)) throw malformed()
  return values.map((value: Json) => {
    if (typeof value !== 'string') throw malformed()
    if (INDIRECT.test(value)) throw indirect('headers')
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    } catch {
      throw malformed()
    }
    return value
  })
}

function malformed(): BadRequest {
  return new BadRequest(
    `"headers" must be a JSON object of up to ${MAX_HEADERS} headers, each with a list of values, such as {"Authorization": ["Bearer ..."]}`,
  )
}

function indirect(option: string): BadRequest {
  return new BadRequest(
    `"${option}" may not refer to a variable or file of the server ("env://", "file://"); give the value`,
  )
}
