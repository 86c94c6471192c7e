/**
 * `sys/policies/explain`: why the policies of a token allow a request or refuse it. Whoever may ask learns what rules
 * those policies have, so it is root-protected, and answers for tokens of the asked namespace and below only.
 */
import { isAnsweredDirectly } from '../../../core/api.ts'
import { BadRequest, listed } from '../../../core/errors.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { Registry } from '../../../core/mounts/registry.ts'
import { locate, namespaceById } from '../../../core/namespaces.ts'
import type { UnsealedParts } from '../../../core/pipeline.ts'
import { duration, object, oneOf, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { findPolicy } from '../../../core/policies.ts'
import {
  explain,
  type ExplainedRule,
  type Explanation,
  type Missing,
} from '../../../core/policy/explain.ts'
import { RESPONSE_WRAPPING_POLICY, ROOT_POLICY } from '../../../core/policy/names.ts'
import { isWrappingToken } from '../../../core/request/authenticate.ts'
import { aclOf } from '../../../core/request/authorize.ts'
import { declaredOperation } from '../../../core/request/handle.ts'
import { routeWithin, type Route } from '../../../core/request/route.ts'
import { inNamespaceOf } from '../../../core/request/standing.ts'
import { findByAccessor, findToken } from '../../../core/tokens/find.ts'
import type { TokenRecord } from '../../../core/tokens/record.ts'
import { missingText } from '../missing-text.ts'

const OPERATIONS = ['create', 'read', 'update', 'patch', 'delete', 'list', 'scan'] as const
type ExplainedOperation = (typeof OPERATIONS)[number]

const fields = {
  token: string('Token; without it and `accessor`, the calling one.').default(''),
  accessor: string('Accessor of the token.').default(''),
  path: string('Path of the request, relative to the namespace.').default(''),
  operation: oneOf(
    OPERATIONS,
    'What the request does; a write is `create` where nothing is at the path yet.',
  ).required(),
  data: object('Body or query of the request, for rules on parameters.').default({}),
  wrap_ttl: duration('Span for which the answer is to be wrapped; 0: it is not.').default(0),
}
type ExplainRequest = Request<typeof fields>
type Unsealed = () => Pick<UnsealedParts, 'acls' | 'batch'>

export function policyExplainPaths(unsealed: Unsealed, registry: () => Registry) {
  return [
    path('policies/explain', {
      summary: 'Why the policies of a token allow a request or refuse it',
      description:
        'Says which rule of which policy decides, and what a refused request lacks. It is about policies alone: the ' +
        'networks that a token is bound to, its uses and the request itself are not looked at.',
      sudo: true,
      fields,
      operations: {
        update: (request) => answerExplain(request, unsealed(), registry()),
      },
      examples: [
        {
          summary: 'May the token read the secret?',
          operation: 'update',
          path: 'policies/explain',
          request: {
            accessor: 'DZpIQDVlFzZdtDMySNpMZBpr',
            operation: 'read',
            path: 'secret/data/app',
          },
        },
      ],
    }),
  ]
}

async function answerExplain(
  request: ExplainRequest,
  parts: ReturnType<Unsealed>,
  registry: Registry,
): Promise<Response> {
  const asked = pathOf(request.data)
  const token = await demandToken(request, parts)
  const judged = await judge(request, asked, token, registry)
  const explanation = await explainJudged(request, parts, token, judged)
  return {
    data: {
      allowed: explanation.allowed,
      by: explanation.by,
      operation: judged.operation,
      path: judged.route.path,
      namespace_path: judged.route.namespace.path,
      needs_sudo: judged.needsSudo,
      rule: explanation.rule === undefined ? null : shownRule(explanation.rule),
      overruled: explanation.overruled.map(shownRule),
      missing: explanation.missing.map((one) => shownMissing(one, judged.route, explanation.rule)),
      policies: await policiesOf(request, token),
    },
  }
}

/** @throws {BadRequest} it is the path of no request */
function pathOf({ path: given, operation }: ExplainRequest['data']): string {
  const bare = given.replace(/^\//, '')
  if (bare === '') throw new BadRequest('path must be supplied')
  const segments = bare.replace(/\/$/, '').split('/')
  if (segments.some((one) => ['', '.', '..'].includes(one))) {
    throw new BadRequest('path must have no empty segment, and none that is "." or ".."')
  }
  const isListing = operation === 'list' || operation === 'scan'
  return isListing && !bare.endsWith('/') ? `${bare}/` : bare
}

/** @throws {BadRequest} there is no such token in the namespace or below: which of it, is not told */
async function demandToken(
  { data, storage: root, nowMs, namespace, clientToken }: ExplainRequest,
  parts: ReturnType<Unsealed>,
): Promise<TokenRecord> {
  const { token, accessor } = data
  if (token !== '' && accessor !== '') {
    throw new BadRequest('give token or accessor, not both')
  }
  const context = { root, nowMs, batch: parts.batch }
  if (accessor !== '') {
    const found = await findByAccessor(context, accessor, namespace)
    if (found === undefined) throw new BadRequest(listed('invalid accessor'))
    return found
  }
  const own = token === ''
  const found = await findToken({ ...context, running: own }, own ? clientToken : token)
  const home = found && (await namespaceById(root, found.namespaceId))
  if (found === undefined || !(own || home?.path.startsWith(namespace.path))) {
    throw new BadRequest(listed('invalid token'))
  }
  return found
}

/** A request as the pipeline would have the policies judge it. */
interface Judged {
  readonly route: Route
  readonly operation: ExplainedOperation
  readonly needsSudo: boolean
  /** The path asks no rights of this token. */
  readonly open: boolean
}

async function judge(
  { storage: root, namespace, data: { operation } }: ExplainRequest,
  asked: string,
  token: TokenRecord,
  registry: Registry,
): Promise<Judged> {
  // A client cannot say `create`: it is a write, and the path tells.
  const sent = { operation: operation === 'create' ? 'update' : operation } as const
  const located = await locate(root, namespace.path, asked)
  const direct = await routeWithin(root, registry, sent, located)
  const facts = declaredOperation(direct, sent.operation)
  const route = facts?.aboutCaller
    ? await inNamespaceOf(token, direct, { root, registry }, sent)
    : direct
  const tellsCreate = route.target?.match?.path.tellsCreate ?? false
  return {
    route,
    operation: tellsCreate ? operation : sent.operation,
    needsSudo: facts?.sudo ?? false,
    open:
      (route.namespace.path === '' && isAnsweredDirectly(route.path)) ||
      facts?.unauthenticated === true ||
      (facts?.takesWrappingToken === true && isWrappingToken(token)),
  }
}

async function explainJudged(
  { storage: root, nowMs, data }: ExplainRequest,
  { acls }: ReturnType<Unsealed>,
  token: TokenRecord,
  { route, operation, needsSudo, open }: Judged,
): Promise<Explanation> {
  const acl = await aclOf(root, acls, token, nowMs)
  const nothing = { rule: undefined, overruled: [], missing: [] }
  if (open) return { ...nothing, allowed: true, by: 'everybody' }
  const explanation = explain(acl, {
    operation,
    namespacePath: route.namespace.path,
    path: route.path,
    data: data.data,
    wrapTtlSeconds: data.wrap_ttl,
    needsSudo,
  })
  const home = await namespaceById(root, token.namespaceId)
  const foreign = !explanation.allowed && !route.namespace.path.startsWith(home?.path ?? '')
  return foreign ? { ...explanation, missing: [{ kind: 'namespace' }] } : explanation
}

function shownRule({ path: rulePath, capabilities, sources }: ExplainedRule): JsonObject {
  return {
    path: rulePath,
    capabilities,
    policies: sources.map(({ policy, namespace, path: ownPath, line, capabilities: own }) => ({
      name: policy,
      namespace_id: namespace.id,
      namespace_path: namespace.path,
      path: ownPath,
      line,
      capabilities: own,
    })),
  }
}

function shownMissing(
  missing: Missing,
  { path: asked }: Route,
  rule: ExplainedRule | undefined,
): JsonObject {
  const text = missingText(missing, { path: asked, rulePath: rule?.path })
  switch (missing.kind) {
    case 'capability':
      return { kind: missing.kind, capability: missing.capability, text }
    case 'wrapping': {
      const { kind, minSeconds, maxSeconds } = missing
      return { kind, min_wrapping_ttl: minSeconds, max_wrapping_ttl: maxSeconds, text }
    }
    case 'parameter':
      return { kind: missing.kind, parameter: missing.parameter, problem: missing.problem, text }
    case 'page_size':
      return { kind: missing.kind, pagination_limit: missing.maximum, text }
    case 'no_deny':
    case 'sudo':
    case 'approval':
    case 'root':
    case 'namespace':
      return { kind: missing.kind, text }
  }
}

/** All that the token has, and whether there is such a policy: a name alone grants nothing. */
async function policiesOf(
  { storage: root, nowMs }: ExplainRequest,
  { namespaceId, policies }: TokenRecord,
): Promise<readonly JsonObject[]> {
  const home = await namespaceById(root, namespaceId)
  const found: JsonObject[] = []
  for (const name of policies) {
    const builtIn = name === ROOT_POLICY || name === RESPONSE_WRAPPING_POLICY
    const there = builtIn || (await findPolicy(root, namespaceId, name, nowMs)) !== undefined
    found.push({ name, namespace_path: home?.path ?? '', found: there })
  }
  return found
}
