/**
 * The headers that every answer of a listener has, whoever made it: `Cache-Control`, `Content-Type`,
 * `Content-Length`, and the configured ones by status (`custom_response_headers`).
 */
import { isStreamed } from '../plugin/response.ts'
import type { HttpResponse } from './message.ts'

/** By `default`, `2xx` or `404`; the narrower wins. Names are written as they shall be sent. */
export type CustomHeaders = Readonly<Record<string, Readonly<Record<string, string>>>>

/** What Vault and OpenBao send where nothing is configured. */
export const DEFAULT_CUSTOM_HEADERS: CustomHeaders = {
  default: { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' },
}

const NO_CONTENT = 204
const NOT_MODIFIED = 304

export class ResponseHeaders {
  readonly #custom: CustomHeaders
  /** The configured headers of each status met so far; there are some tens of them. */
  readonly #byStatus = new Map<number, readonly string[]>()

  constructor(custom: CustomHeaders = DEFAULT_CUSTOM_HEADERS) {
    this.#custom = custom
  }

  /** hot: every request. The headers as node:http takes them: name, value, name, value. */
  flat(response: HttpResponse): string[] {
    const { status, headers, body } = response
    const flat = (this.#byStatus.get(status) ?? this.#learn(status)).slice()
    let cacheControl = 'no-store'
    let contentType = 'application/json'
    for (const name in headers) {
      const value = headers[name] ?? ''
      if (isNamed(name, 'cache-control')) cacheControl = value
      else if (isNamed(name, 'content-type')) contentType = value
      else flat.push(name, value)
    }
    flat.push('Cache-Control', cacheControl)
    if (contentType !== '') flat.push('Content-Type', contentType)
    if (status !== NO_CONTENT && status !== NOT_MODIFIED && !isStreamed(body)) {
      flat.push(
        'Content-Length',
        String(typeof body === 'string' ? Buffer.byteLength(body) : body.length),
      )
    }
    return flat
  }

  #learn(status: number): readonly string[] {
    const names = ['default', `${Math.floor(status / 100)}xx`, String(status)]
    const merged = new Map<string, readonly [name: string, value: string]>()
    for (const name of names) {
      for (const [header, value] of Object.entries(this.#custom[name] ?? {})) {
        merged.set(header.toLowerCase(), [header, value])
      }
    }
    const flat = [...merged.values()].flat()
    this.#byStatus.set(status, flat)
    return flat
  }
}

function isNamed(name: string, lower: string): boolean {
  return name.length === lower.length && name.toLowerCase() === lower
}
