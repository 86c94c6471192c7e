/**
 * `sys/generate-root`, `sys/generate-root-token` and `sys/decode-token`: a new root token by key shares (contract:
 * http.md, 14.6). The first answers bare JSON and can be opened by a listener; the second always takes a token.
 */
import type { GenerateRoot, RootAttempt } from '../../../core/ceremonies/generate-root.ts'
import { xor } from '../../../core/ceremonies/generate-root.ts'
import { BadRequest } from '../../../core/errors.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path, type Access } from '../../../core/plugin/path.ts'
import type { Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { ROOT_TOKEN_CHARACTERS } from '../../../core/tokens/issue.ts'

const startFields = {
  otp: string('A one-time password as long as a root token; without, one is made.').default(''),
  pgp_key: string('A public PGP key that the token is encrypted for.').default(''),
}
const updateFields = {
  key: string('One key share, in hex or base64.').default(''),
  nonce: string('The nonce of the attempt.').default(''),
}
const decodeFields = {
  encoded_token: string('As it was answered.').default(''),
  otp: string('The one-time password.').default(''),
}

/** The members of one form of the answer. */
type Form = (attempt: RootAttempt, what: 'status' | 'start' | 'update') => Response

/** @param warn tells the operator that there is a new root token */
export function generateRootPaths(generateRoot: GenerateRoot, warn: (text: string) => void) {
  const handlers = (form: Form) => ({
    status: async (request: RequestBase) =>
      form(await generateRoot.status(momentOf(request)), 'status'),
    async start(request: Request<typeof startFields>) {
      const { otp, pgp_key: pgpKey } = request.data
      return form(await generateRoot.start(momentOf(request), { otp, pgpKey }), 'start')
    },
    cancel: (request: RequestBase) => generateRoot.cancel(momentOf(request)),
    async update(request: Request<typeof updateFields>): Promise<Response> {
      const attempt = await generateRoot.update(momentOf(request), request.data)
      // What was given so far is forgotten: said once that is durable.
      if (attempt instanceof Error) return { afterwards: () => Promise.reject(attempt) }
      const response = form(attempt, 'update')
      if (attempt.encodedToken === '') return response
      return { ...response, afterwards: async () => warn('core: key shares made a root token') }
    },
  })
  const attemptPaths = (
    at: string,
    otherNames: readonly string[],
    form: Form,
    access: Pick<Access, 'rootOnly' | 'openedBy'>,
  ) => {
    const { status, start, cancel, update } = handlers(form)
    return [
      path([`${at}/attempt`, ...otherNames], {
        ...access,
        summary: 'Begins, shows or ends the making of a root token by key shares',
        fields: startFields,
        operations: {
          read: status,
          update: { handler: start, sudo: true },
          delete: { handler: cancel, sudo: true },
        },
      }),
      path(`${at}/update`, {
        ...access,
        summary: 'Gives one key share; with the last that was missing the token is made',
        fields: updateFields,
        operations: { update },
      }),
    ]
  }
  return [
    ...attemptPaths('generate-root', ['generate-root'], bareForm, {
      rootOnly: 'operation unavailable in namespaces',
      openedBy: 'disable_unauthed_generate_root_endpoints',
    }),
    ...attemptPaths('generate-root-token', [], envelopeForm, { rootOnly: true }),
    path('decode-token', {
      rootOnly: true,
      summary: 'Decodes a root token by its one-time password; nothing is stored or looked up',
      unauthenticated: true,
      fields: decodeFields,
      operations: { update: decodeToken },
    }),
  ]
}

function momentOf({ storage, nowMs }: RequestBase) {
  return { root: storage, nowMs }
}

function bareForm(attempt: RootAttempt, what: string): Response {
  return {
    bare: {
      nonce: attempt.nonce,
      started: attempt.started,
      progress: attempt.progress,
      required: attempt.required,
      complete: attempt.encodedToken !== '',
      encoded_token: attempt.encodedToken,
      encoded_root_token: attempt.encodedToken,
      pgp_fingerprint: attempt.pgpFingerprint,
      otp: attempt.otp,
      otp_length: what === 'update' ? 0 : ROOT_TOKEN_CHARACTERS,
    },
  }
}

function envelopeForm(attempt: RootAttempt, what: string): Response {
  const { nonce, started, progress, required, encodedToken, otp } = attempt
  return {
    data: {
      complete: encodedToken !== '',
      ...(what === 'update'
        ? { encoded_token: encodedToken }
        : { otp, otp_length: ROOT_TOKEN_CHARACTERS }),
      ...(started && { nonce, pgp_fingerprint: attempt.pgpFingerprint }),
      progress,
      required,
      started,
    },
  }
}

const NO_BASE64 = /[^A-Za-z0-9+/]/

function decodeToken({ data }: Request<typeof decodeFields>): Response {
  const { encoded_token: encoded, otp } = data
  if (encoded === '' || otp === '') {
    throw new BadRequest("provided 'encoded_token' or 'otp' is empty")
  }
  const text = encoded.replace(/={1,2}$/, '')
  const wrongAt = text.search(NO_BASE64)
  if (wrongAt >= 0) {
    throw new BadRequest(
      `error decoding base64'd token: illegal base64 data at input byte ${wrongAt}`,
    )
  }
  return { data: { token: xor(Buffer.from(text, 'base64'), otp).toString() } }
}
