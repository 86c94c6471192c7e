/** The API of one node: the endpoints that work while it is sealed, and the pipeline for all others. */
import { judgeOrigin } from './cors.ts'
import { handlerFor, type DirectEndpoint } from './direct/endpoint.ts'
import { healthEndpoint, leaderEndpoint } from './direct/health.ts'
import { initEndpoint } from './direct/init.ts'
import { sealedSealEndpoint } from './direct/seal.ts'
import { sealStatusEndpoint, unsealEndpoint } from './direct/unseal.ts'
import { BadRequest } from './errors.ts'
import type { App, HttpRequest, HttpResponse } from './http/message.ts'
import type { Node } from './node.ts'
import { asRequestError, isOurs, renderError } from './request/failure.ts'
import { header } from './request/incoming.ts'
import { Transaction } from './store/transaction.ts'
import { View } from './store/view.ts'

const DIRECT = new Map<string, DirectEndpoint>(
  [initEndpoint, sealStatusEndpoint, unsealEndpoint, healthEndpoint, leaderEndpoint].map(
    (endpoint) => [`/v1/${endpoint.path}`, endpoint],
  ),
)
const SEAL_PATH = `/v1/${sealedSealEndpoint.path}`

/** Answers whatever comes below `/v1/`. */
export function createApi(node: Node): App {
  return (http) => {
    const direct = DIRECT.get(http.path)
    if (direct !== undefined) return answerDirectly(node, direct, http)
    if (http.path === SEAL_PATH && node.isSealed) {
      return answerDirectly(node, sealedSealEndpoint, http)
    }
    return http.headers['origin'] === undefined ? node.handle(http) : fromPage(node, http)
  }
}

/** A browser says from which page a request comes. */
async function fromPage(node: Node, http: HttpRequest): Promise<HttpResponse> {
  if (node.isSealed) return node.handle(http)
  try {
    const { store } = node.unsealed
    store.cache.refresh()
    const verdict = await judgeOrigin(new View(new Transaction(store), ''), http)
    if (verdict.kind === 'answered') return verdict.response
    const answer = await node.handle(http)
    return { ...answer, headers: { ...answer.headers, ...verdict.headers } }
  } catch (error) {
    if (isOurs(error)) node.parts.onFailure('judging an origin', error)
    return renderError(asRequestError(error))
  }
}

async function answerDirectly(
  node: Node,
  endpoint: DirectEndpoint,
  http: HttpRequest,
): Promise<HttpResponse> {
  try {
    const handle = handlerFor(endpoint, http.method)
    const namespace = header(http, 'x-vault-namespace')?.replaceAll(/^\/+|\/+$/g, '') ?? ''
    if (namespace !== '' && namespace !== 'root') {
      throw new BadRequest('operation unavailable in namespaces')
    }
    return await handle(node, http)
  } catch (error) {
    if (isOurs(error)) node.parts.onFailure(endpoint.path, error)
    return renderError(asRequestError(error))
  }
}
