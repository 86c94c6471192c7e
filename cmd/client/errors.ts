/** Why a request gave no answer. Texts are those of Vault's Go client: scripts look into them. None holds a token. */

import type { Secret } from './secret.ts'

/** Any of the below: the request was not answered as hoped. */
export class RequestFailed extends Error {
  override readonly name: string = 'RequestFailed'
}

/** The server answered with an error status. */
export class ApiError extends RequestFailed {
  override readonly name = 'ApiError'
  readonly status: number
  /** What the refusal carried beside its errors; commands show it below the text. */
  readonly secret: Secret | undefined

  constructor(answer: {
    method: string
    url: string
    status: number
    /** undefined: the body was not the wire's error object */
    errors: readonly string[] | undefined
    body: string
    namespace: string
    secret: Secret | undefined
  }) {
    const { method, url, status, errors, namespace } = answer
    const lines = [
      'Error making API request.',
      '',
      ...(namespace === '' || namespace === 'root/' ? [] : [`Namespace: ${namespace}`]),
      `URL: ${method} ${url}`,
      `Code: ${status}. ${errors === undefined ? 'Raw Message' : 'Errors'}:`,
      '',
      errors === undefined ? answer.body : errors.map((error) => `* ${error}`).join('\n'),
    ]
    super(lines.join('\n'))
    this.status = status
    this.secret = answer.secret
  }
}

/** No answer came: the server does not listen, the name does not resolve, the certificate is not trusted. */
export class ConnectionFailed extends RequestFailed {
  override readonly name = 'ConnectionFailed'
  /** What a person may try, where we know. */
  readonly hint: string | undefined

  constructor(method: string, url: string, cause: unknown) {
    const { reason, hint } = explain(cause)
    super(`${method.charAt(0)}${method.slice(1).toLowerCase()} "${url}": ${reason}`, { cause })
    this.hint = hint
  }
}

/** Thrown in place of what a command would show: it was asked for wrapped (`-wrap-ttl`), and this is the token that it is in. */
export class AnswerIsWrapped extends Error {
  override readonly name = 'AnswerIsWrapped'
  readonly secret: Secret

  constructor(secret: Secret) {
    super('the answer is wrapped')
    this.secret = secret
  }
}

/** The answer, or a setting, cannot be used: said in the text. */
export class ClientProblem extends RequestFailed {
  override readonly name = 'ClientProblem'
}

interface Explanation {
  readonly reason: string
  readonly hint?: string
}

const NOT_LISTENING =
  'nothing listens there: start the server, or say where it is with -address=http://HOST:PORT'
const PLAIN_HTTP =
  'the server speaks plain HTTP: give its address as http://HOST:PORT (-address, or VAULT_ADDR in the environment)'
const UNKNOWN_CA =
  "name the file of the certificate authority with -ca-cert=FILE (VAULT_CACERT); check that the address is the certificate's name"

const TLS_CODES = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/

/** In Go's words, where it has some: scripts know them. */
function tlsReason(code: string, message: string): string {
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return 'x509: certificate has expired or is not yet valid'
  if (/^(?:DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code))
    return 'x509: certificate signed by unknown authority'
  return `x509: ${message}`
}

function explain(cause: unknown): Explanation {
  const error = firstOf(cause)
  const code = text(error, 'code')
  const target = text(error, 'address')
  const dial = target.includes('/')
    ? `dial unix ${target}`
    : `dial tcp ${target.includes(':') ? `[${target}]` : target}:${text(error, 'port')}`
  if (code === 'ECONNREFUSED')
    return { reason: `${dial}: connect: connection refused`, hint: NOT_LISTENING }
  if (code === 'ENOENT')
    return { reason: `${dial}: connect: no such file or directory`, hint: NOT_LISTENING }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { reason: `dial tcp: lookup ${text(error, 'hostname')}: no such host` }
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return { reason: 'http: server gave HTTP response to HTTPS client', hint: PLAIN_HTTP }
  if (code === 'ECONNRESET') return { reason: 'EOF' }
  const message = error instanceof Error ? error.message : 'the connection failed'
  if (TLS_CODES.test(code))
    return {
      reason: `tls: failed to verify certificate: ${tlsReason(code, message)}`,
      hint: UNKNOWN_CA,
    }
  return { reason: message }
}

/** Node tries each address of a name and reports all failures together; the first one is told. */
function firstOf(cause: unknown): unknown {
  return cause instanceof AggregateError ? (cause.errors[0] ?? cause) : cause
}

function text(error: unknown, property: string): string {
  if (typeof error !== 'object' || error === null) return ''
  const value: unknown = Reflect.get(error, property)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
