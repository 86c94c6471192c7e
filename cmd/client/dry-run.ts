/**
 * What `-output-curl-string` and `-output-policy` print instead of sending the request. The text never holds the token:
 * curl's line asks this program for it.
 */
import type { Capability } from '../../core/policy/capability.ts'
import type { Mode } from './connection.ts'
import { shellQuote } from './connection.ts'
import { asksForSudo } from './sudo-paths.ts'

interface PlannedRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: string | undefined
  readonly curlTls: readonly string[]
  readonly socketPath: string | undefined
}

/** Thrown in place of sending: it ends the command, which prints the text. */
export class DryRun extends Error {
  override readonly name = 'DryRun'
  readonly mode: Mode
  readonly request: PlannedRequest

  constructor(mode: Mode, request: PlannedRequest) {
    super('the request was to be shown, not sent')
    this.mode = mode
    this.request = request
  }

  /** @param program the name that prints the token: `keyhold` */
  text(program: string): string {
    return this.mode === 'policy' ? policyText(this.request) : curlText(this.request, program)
  }
}

function curlText(request: PlannedRequest, program: string): string {
  const headers = Object.entries(request.headers).flatMap(([name, values]) =>
    [values].flat().map((value) => {
      const shown = name.toLowerCase() === 'x-vault-token' ? `$(${program} print token)` : value
      const header = `${name}: ${shown}`
      return `-H ${shown === value ? doubleQuote(header) : `"${header}"`}`
    }),
  )
  return [
    'curl',
    ...request.curlTls.filter((flag) => flag === '--insecure'),
    ...(request.method === 'GET' ? [] : [`-X ${request.method}`]),
    ...request.curlTls.filter((flag) => flag !== '--insecure'),
    ...(request.socketPath === undefined
      ? []
      : [`--unix-socket ${shellQuote(request.socketPath)}`]),
    ...headers,
    ...(request.body === undefined ? [] : [`-d ${shellQuote(request.body)}`]),
    doubleQuote(request.url.href),
  ].join(' ')
}

/** A shell looks into double quotes: where it would find something there, single ones are used. */
function doubleQuote(text: string): string {
  return /["$`\\!]/.test(text) ? shellQuote(text) : `"${text}"`
}

const CAPABILITIES: Readonly<Record<string, readonly Capability[]>> = {
  GET: ['read'],
  LIST: ['list'],
  SCAN: ['scan'],
  POST: ['create', 'update'],
  PUT: ['create', 'update'],
  PATCH: ['patch'],
  DELETE: ['delete'],
}

function policyText({ method, url }: PlannedRequest): string {
  const path = decodeURIComponent(url.pathname).replace(/^\/v1\//, '')
  const query = url.searchParams
  const verb =
    query.get('list') === 'true' ? 'LIST' : query.get('scan') === 'true' ? 'SCAN' : method
  const needed = CAPABILITIES[verb] ?? []
  const needsSudo = needed.some((name) => asksForSudo(path, name))
  const capabilities = [...needed, ...(needsSudo ? ['sudo'] : [])].map((name) => `"${name}"`)
  return `path "${path}" {\n  capabilities = [${capabilities.join(', ')}]\n}`
}
