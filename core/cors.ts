/**
 * Which web pages of other origins may call the API (contract: sys-auth.md, config/cors). Off until configured; then
 * every request that names a foreign origin is refused, whatever it asks for.
 */
import { z } from 'zod'
import { RequestError } from './errors.ts'
import type { HttpRequest, HttpResponse } from './http/message.ts'
import { header } from './request/incoming.ts'
import { kind } from './store/kind.ts'
import type { View } from './store/view.ts'

const corsSchema = z
  .object({
    /** `*` alone: every origin. */
    origins: z.array(z.string()).readonly(),
    /** Beside the standard ones. */
    headers: z.array(z.string()).readonly(),
    credentials: z.boolean(),
  })
  .readonly()
export type Cors = z.infer<typeof corsSchema>
export const corsRecords = kind('cors', corsSchema)
export const CORS_KEY = 'core/cors'

/** What clients of the API send. */
export const STANDARD_HEADERS: readonly string[] = [
  'Content-Type',
  'Authorization',
  'X-Vault-Token',
  'X-Vault-MFA',
  'X-Vault-No-Request-Forwarding',
  'X-Vault-Wrap-Format',
  'X-Vault-Wrap-TTL',
  'X-Requested-With',
  'X-Vault-AWS-IAM-Server-ID',
  'X-Vault-Policy-Override',
]
const METHODS = ['DELETE', 'GET', 'OPTIONS', 'POST', 'PUT', 'LIST', 'SCAN']
/** How long a browser may remember the answer to a preflight. */
const MAX_AGE_SECONDS = 300

/** What becomes of a request from a web page. */
export type CorsVerdict =
  | { readonly kind: 'goes on'; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'answered'; readonly response: HttpResponse }

/** @throws {RequestError} 403: the origin is not allowed */
export async function judgeOrigin(root: View, http: HttpRequest): Promise<CorsVerdict> {
  const cors = await root.get(corsRecords, CORS_KEY)
  const origin = header(http, 'origin') ?? ''
  if (cors === undefined) return { kind: 'goes on', headers: {} }
  if (!cors.origins.includes('*') && !cors.origins.includes(origin)) {
    throw new RequestError(403, 'origin not allowed')
  }
  const headers = {
    'Access-Control-Allow-Origin': origin,
    Vary: 'Origin',
    ...(cors.credentials && { 'Access-Control-Allow-Credentials': 'true' }),
  }
  if (http.method !== 'OPTIONS') return { kind: 'goes on', headers }
  return { kind: 'answered', response: preflight(cors, http, headers) }
}

function preflight(
  cors: Cors,
  http: HttpRequest,
  headers: Readonly<Record<string, string>>,
): HttpResponse {
  const wanted = header(http, 'access-control-request-method') ?? ''
  if (!METHODS.includes(wanted)) return { status: 405, headers: {}, body: '' }
  return {
    status: 200,
    headers: {
      ...headers,
      'Access-Control-Allow-Methods': METHODS.join(','),
      'Access-Control-Allow-Headers': [...STANDARD_HEADERS, ...cors.headers].join(','),
      'Access-Control-Max-Age': String(MAX_AGE_SECONDS),
    },
    body: '',
  }
}
