/** `sys/rekey`: new key shares by the present ones (contract: http.md, 14.5). Answers bare JSON. */
import type { NewShares, Rekey, RekeyStatus } from '../../../core/ceremonies/rekey.ts'
import { BadRequest } from '../../../core/errors.ts'
import type { JsonObject } from '../../../core/json.ts'
import { boolean, integer, string, stringArray } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'

const startFields = {
  secret_shares: integer('Into how many shares the new key is split.').default(0),
  secret_threshold: integer('How many of them unseal the server.').default(0),
  require_verification: boolean(
    'The new shares come into force only when a threshold of them was given back.',
  ).default(false),
  pgp_keys: stringArray('A public PGP key for each new share.').default([]),
  backup: boolean('Keep the encrypted shares; needs pgp_keys.').default(false),
  nonce: string('Of the ceremony that is cancelled; without, whichever runs is.')
    .default('')
    .inQuery(),
}
const shareFields = {
  key: string('One key share, in hex or base64.').default(''),
  nonce: string('The nonce of the ceremony.').default(''),
}

/** @param warn tells the operator that the shares were replaced */
export function rekeyPaths(rekey: Rekey, warn: (text: string) => void) {
  const inForce = (apply: (() => Promise<void>) | undefined) => ({
    async afterwards() {
      if (apply === undefined) return
      await apply()
      warn('core: the key shares were replaced; the old ones open nothing any more')
    },
  })
  const open = { rootOnly: true, openedBy: 'disable_unauthed_rekey_endpoints' } as const
  return [
    path('rekey/init', {
      ...open,
      summary: 'Begins, shows or ends the replacing of the key shares',
      fields: startFields,
      operations: {
        read: async (request) => statusForm(await rekey.status(momentOf(request))),
        update: {
          sudo: true,
          async handler(request) {
            const { data } = request
            const options = {
              shares: data.secret_shares,
              threshold: data.secret_threshold,
              verifies: data.require_verification,
              pgpKeys: data.pgp_keys,
              backup: data.backup,
            }
            return statusForm(await rekey.start(momentOf(request), options))
          },
        },
        delete: {
          sudo: true,
          handler: (request) => rekey.cancel(momentOf(request), request.data.nonce),
        },
      },
    }),
    path('rekey/update', {
      ...open,
      summary:
        'Gives one of the present key shares; with the last that was missing new ones are made',
      fields: shareFields,
      operations: {
        async update(request: Request<typeof shareFields>): Promise<Response> {
          const after = await rekey.update(momentOf(request), request.data)
          if (after instanceof Error) return failing(after)
          if (after.state !== 'new shares') return statusForm(after)
          return { bare: newSharesForm(after), ...inForce(after.apply) }
        },
      },
    }),
    path('rekey/verify', {
      ...open,
      summary:
        'Gives back one of the new key shares; with a threshold of them they come into force',
      fields: shareFields,
      operations: {
        read: async (request) =>
          verificationForm(await rekey.verificationStatus(momentOf(request))),
        async update(request: Request<typeof shareFields>): Promise<Response> {
          const after = await rekey.verify(momentOf(request), request.data)
          if (after instanceof Error) return failing(after)
          if (after.state !== 'verified') return verificationForm(after)
          return { bare: { nonce: after.nonce, complete: true }, ...inForce(after.apply) }
        },
        delete: {
          sudo: true,
          handler: async (request) =>
            verificationForm(await rekey.restartVerification(momentOf(request))),
        },
      },
    }),
    path('rekey/backup', {
      rootOnly: true,
      summary: 'The encrypted key shares that are in force, where they were to be kept',
      operations: {
        async read(request) {
          const { nonce, keys } = await rekey.backup(momentOf(request))
          const entries = Object.entries(keys)
          const base64 = entries.map(([name, texts]) => [name, texts.map(hexToBase64)] as const)
          return { data: { nonce, keys, keys_base64: Object.fromEntries(base64) } }
        },
        delete: (request) => rekey.forgetBackup(momentOf(request)),
      },
    }),
    path(['rekey-recovery-key/init', 'rekey-recovery-key/update', 'rekey-recovery-key/verify'], {
      ...open,
      summary: 'There are no recovery keys: the seal opens by key shares',
      operations: { read: noRecovery, update: noRecovery, delete: noRecovery },
    }),
  ]
}

function momentOf({ storage, nowMs }: RequestBase) {
  return { root: storage, nowMs }
}

function hexToBase64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64')
}

/** What was given so far is forgotten: said once that is durable. */
function failing(error: Error): Response {
  return { afterwards: () => Promise.reject(error) }
}

function noRecovery(): never {
  throw new BadRequest('recovery rekeying not supported')
}

function statusForm(status: RekeyStatus): Response {
  return {
    bare: {
      nonce: status.nonce,
      started: status.state === 'running',
      t: status.sharing.threshold,
      n: status.sharing.shares,
      progress: status.progress,
      required: status.required,
      ...encryption(status),
      ...verification(status),
    },
  }
}

function encryption({
  pgpFingerprints: fingerprints,
  backup,
}: Pick<RekeyStatus, 'pgpFingerprints' | 'backup'>) {
  return { pgp_fingerprints: fingerprints.length === 0 ? null : [...fingerprints], backup }
}

/** Zeroes the shares once their texts are made. */
function newSharesForm(made: NewShares): JsonObject {
  const texts = (coding: 'hex' | 'base64') => made.keys.map((key) => key.toString(coding))
  const form = {
    nonce: made.nonce,
    complete: true,
    keys: texts('hex'),
    keys_base64: texts('base64'),
    ...encryption(made),
    ...verification(made),
  }
  for (const key of made.keys) key.fill(0)
  return form
}

function verification({
  verifies,
  verificationNonce,
}: Pick<RekeyStatus, 'verifies' | 'verificationNonce'>) {
  return {
    verification_required: verifies,
    ...(verificationNonce !== '' && { verification_nonce: verificationNonce }),
  }
}

function verificationForm({ nonce, state, sharing, progress }: RekeyStatus): Response {
  const { threshold: t, shares: n } = sharing
  return { bare: { nonce, started: state === 'running', t, n, progress } }
}
