/**
 * A client of the HTTP API for tests: JSON in, JSON out, any verb.
 */
import { isJsonObject, parseJson, type Json, type JsonObject } from '../../core/json.ts'
import { sendRaw } from './raw-http.ts'

export interface ApiRequest {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface ApiResponse {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly text: string
  /** The answer's object; empty if it had none. */
  readonly json: JsonObject
}

export type Api = (method: string, path: string, request?: ApiRequest) => Promise<ApiResponse>

/** @param address `http://HOST:PORT`; paths are given without `/v1/` */
export function apiClient(address: string): Api {
  const { hostname, port } = new URL(address)
  return async (method, path, { token, body, headers = {} } = {}) => {
    const response = await sendRaw({
      host: hostname,
      port: Number(port),
      method,
      path: `/v1/${path}`,
      headers: {
        ...(token === undefined ? {} : { 'X-Vault-Token': token }),
        'Content-Type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (response === undefined)
      throw new Error('the server closed the connection without an answer')
    return { ...response, json: objectOf(response.text) }
  }
}

function objectOf(text: string): JsonObject {
  let value: Json = null
  try {
    value = parseJson(text)
  } catch {
    // Not JSON: the caller has the text.
  }
  return isJsonObject(value) ? value : {}
}
