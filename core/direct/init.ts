/** `sys/init`: whether there are keys, and the making of them. */
import { z } from 'zod'
import { BadRequest } from '../errors.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import type { Node } from '../node.ts'
import { bare, readStrict, type DirectEndpoint } from './endpoint.ts'

const initBody = z.object({
  secret_shares: z.number().int().default(0),
  secret_threshold: z.number().int().default(0),
  stored_shares: z.number().int().optional(),
  pgp_keys: z.array(z.string()).nullish(),
  root_token_pgp_key: z.string().nullish(),
  recovery_shares: z.number().int().optional(),
  recovery_threshold: z.number().int().optional(),
  recovery_pgp_keys: z.array(z.string()).nullish(),
})
type InitBody = z.infer<typeof initBody>

export const initEndpoint: DirectEndpoint = {
  path: 'sys/init',
  methods: {
    GET: async (node) => bare({ initialized: await node.isInitialized() }),
    POST: initialize,
    PUT: initialize,
  },
}

async function initialize(node: Node, http: HttpRequest): Promise<HttpResponse> {
  const body = readStrict(http, node.parts.limits, initBody, 'InitRequest')
  checkApplicable(body, node.parts.seal.type)
  checkPgp(body)
  const sharing = { shares: body.secret_shares, threshold: body.secret_threshold }
  const { shares, rootToken } = await node.initialize(sharing)
  const answer = bare({
    keys: shares.map((share) => share.toString('hex')),
    keys_base64: shares.map((share) => share.toString('base64')),
    root_token: rootToken,
  })
  for (const share of shares) share.fill(0)
  return answer
}

function checkApplicable(body: InitBody, sealType: string): void {
  const given = [
    body.recovery_shares ? 'recovery_shares' : '',
    body.recovery_threshold ? 'recovery_threshold' : '',
    body.recovery_pgp_keys && body.recovery_pgp_keys.length > 0 ? 'recovery_pgp_keys' : '',
  ].filter((name) => name !== '')
  if (given.length > 0) {
    throw new BadRequest(`parameters ${given.join(',')} not applicable to seal type ${sealType}`)
  }
}

function checkPgp({
  pgp_keys: keys,
  secret_shares: shares,
  root_token_pgp_key: rootKey,
}: InitBody): void {
  if (keys && keys.length > 0 && keys.length !== shares) {
    throw new BadRequest(
      'invalid seal configuration: count mismatch between number of provided PGP keys and number of shares',
    )
  }
  if ((keys && keys.length > 0) || rootKey) {
    throw new BadRequest(
      'this release does not encrypt shares to PGP keys; leave pgp_keys and root_token_pgp_key out',
    )
  }
}
