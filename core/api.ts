/** The API of one node: the endpoints that work while it is sealed, and the pipeline for all others. */
import { judgeOrigin, type CorsVerdict } from './cors.ts'
import { handlerFor, type DirectEndpoint } from './direct/endpoint.ts'
import { healthEndpoint, leaderEndpoint } from './direct/health.ts'
import { initEndpoint } from './direct/init.ts'
import { sealedSealEndpoint } from './direct/seal.ts'
import { sealStatusEndpoint, unsealEndpoint } from './direct/unseal.ts'
import { BadRequest } from './errors.ts'
import {
  withHeaders,
  withNamespace,
  type App,
  type HttpRequest,
  type HttpResponse,
} from './http/message.ts'
import type { Node } from './node.ts'
import type { OpenedBy } from './plugin/path.ts'
import { asRequestError, isOurs, renderError } from './request/failure.ts'
import { header } from './request/incoming.ts'
import { Transaction } from './store/transaction.ts'
import { View } from './store/view.ts'

const byPath = (endpoints: readonly DirectEndpoint[]) =>
  new Map(endpoints.map((endpoint) => [`/v1/${endpoint.path}`, endpoint]))

const DIRECT = byPath([
  initEndpoint,
  sealStatusEndpoint,
  unsealEndpoint,
  healthEndpoint,
  leaderEndpoint,
])
const SYSTEM = '/v1/sys/'
const SEAL_PATH = `/v1/${sealedSealEndpoint.path}`

/** Whether everybody is answered there, with a token or without. @param path below `/v1/` */
export function isAnsweredDirectly(path: string): boolean {
  return DIRECT.has(`/v1/${path}`)
}

/**
 * Answers whatever comes below `/v1/`.
 *
 * @param open what else is answered directly, to everybody, in place of the pipeline's path
 * @param opened the settings by which this listener lets operations be done without a token
 */
export function createApi(
  node: Node,
  open: readonly DirectEndpoint[] = [],
  opened: readonly OpenedBy[] = [],
): App {
  const direct = new Map([...DIRECT, ...byPath(open)])
  const api = { node, direct }
  const app = (http: HttpRequest) =>
    http.headers['origin'] === undefined ? answer(api, http) : fromPage(api, http)
  const own =
    opened.length === 0
      ? app
      : (http: HttpRequest) => app(http.path.startsWith(SYSTEM) ? withOpened(http, opened) : http)
  return Object.assign(own, { asksForBody: true })
}

/** Not by spreading: a listener's request has its headers in a getter, and its body may come later. */
function withOpened(http: HttpRequest, opened: readonly OpenedBy[]): HttpRequest {
  const { method, path, query, headers, client, receive } = http
  return {
    method,
    path,
    query,
    headers,
    get body() {
      return http.body
    },
    receive,
    client,
    opened,
  }
}

interface Api {
  readonly node: Node
  readonly direct: ReadonlyMap<string, DirectEndpoint>
}

/** hot. */
function answer({ node, direct: endpoints }: Api, http: HttpRequest): Promise<HttpResponse> {
  const direct = endpoints.get(http.path)
  if (direct !== undefined) return answerDirectly(node, direct, http)
  if (http.path === SEAL_PATH && node.isSealed) {
    return answerDirectly(node, sealedSealEndpoint, http)
  }
  return node.handle(http)
}

/** A browser says from which page a request comes. */
async function fromPage(api: Api, http: HttpRequest): Promise<HttpResponse> {
  const { node } = api
  try {
    const verdict = await judge(node, http)
    if (verdict.kind === 'answered') return verdict.response
    const response = await answer(api, http)
    return { ...response, headers: { ...response.headers, ...verdict.headers } }
  } catch (error) {
    if (isOurs(error)) node.parts.onFailure('judging an origin', error)
    return renderError(asRequestError(error))
  }
}

/** While sealed nobody knows what was configured, so no page is let in, and none is refused. */
async function judge(node: Node, http: HttpRequest): Promise<CorsVerdict> {
  // May learn that another node was told to seal.
  if (!node.isSealed) node.unsealed.store.cache.refresh()
  if (node.isSealed) return { kind: 'goes on', headers: {} }
  return judgeOrigin(new View(new Transaction(node.unsealed.store), ''), http)
}

async function answerDirectly(
  node: Node,
  endpoint: DirectEndpoint,
  http: HttpRequest,
): Promise<HttpResponse> {
  const asked = header(http, 'x-vault-namespace')
  const response = await handleDirectly(node, endpoint, http, asked)
  return asked === undefined ? response : withNamespace(response, asked)
}

async function handleDirectly(
  node: Node,
  endpoint: DirectEndpoint,
  http: HttpRequest,
  asked: string | undefined,
): Promise<HttpResponse> {
  try {
    const admitted = await node.pipeline.admit(http)
    if (admitted?.refusal !== undefined) return admitted.refusal
    const handle = handlerFor(endpoint, http.method)
    const namespace = asked?.replaceAll(/^\/+|\/+$/g, '') ?? ''
    if (endpoint.inNamespaces !== true && namespace !== '' && namespace !== 'root') {
      throw new BadRequest('operation unavailable in namespaces')
    }
    await http.receive?.()
    const response = await handle(node, http)
    return admitted === undefined ? response : withHeaders(response, admitted.headers)
  } catch (error) {
    if (isOurs(error)) node.parts.onFailure(endpoint.path, error)
    return renderError(asRequestError(error))
  }
}
