/** `sys/init`: whether there are keys, and the making of them. */
import { z } from 'zod'
import { BadRequest } from '../errors.ts'
import { checkHolderNames } from '../ceremonies/share-set.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import type { Node } from '../node.ts'
import { checkKeyCount, encryptShares, encryptTo, readPgpKey, readPgpKeys } from '../seal/pgp.ts'
import { bare, readStrict, type DirectEndpoint } from './endpoint.ts'

const initBody = z.object({
  secret_shares: z.number().int().default(0),
  secret_threshold: z.number().int().default(0),
  secret_share_holders: z.array(z.string()).nullish(),
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
  const sharing = { shares: body.secret_shares, threshold: body.secret_threshold }
  checkKeyCount(body.pgp_keys ?? [], sharing.shares, 'seal')
  const names = body.secret_share_holders ?? []
  checkHolderNames(names, sharing.shares)
  const keys = await readPgpKeys(body.pgp_keys ?? [])
  const owner = body.root_token_pgp_key ? await readPgpKey(body.root_token_pgp_key) : undefined
  const pgpFingerprints = keys.map(({ fingerprint }) => fingerprint)
  const { shares, rootToken } = await node.initialize(sharing, {
    holders: { names, pgpFingerprints },
  })
  const handed = keys.length === 0 ? shares : await encryptShares(shares, keys)
  const answer = bare({
    keys: handed.map((share) => share.toString('hex')),
    keys_base64: handed.map((share) => share.toString('base64')),
    root_token:
      owner === undefined
        ? rootToken
        : (await encryptTo(owner, Buffer.from(rootToken))).toString('base64'),
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
