/**
 * `sys/rekey`: new key shares by the present ones (contract: http.md, 14.5), and `sys/rotate/root`, which is OpenBao's
 * name for it. The first answers bare JSON and can be opened by a listener; the second always takes a token.
 */
import type { NewShares, Rekey, RekeyStatus } from '../../../core/ceremonies/rekey.ts'
import { BadRequest } from '../../../core/errors.ts'
import { boolean, integer, string, stringArray } from '../../../core/plugin/fields.ts'
import { path, type Access } from '../../../core/plugin/path.ts'
import type { Request, RequestBase } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'

const startFields = {
  secret_shares: integer('Into how many shares the new key is split.').default(0),
  secret_threshold: integer('How many of them unseal the server.').default(0),
  require_verification: boolean(
    'The new shares come into force only when a threshold of them was given back.',
  ).default(false),
  pgp_keys: stringArray('A public PGP key for each new share.').default([]),
  secret_share_holders: stringArray('The name of who gets each new share.').default([]),
  backup: boolean('Keep the encrypted shares; needs pgp_keys.').default(false),
  nonce: string('Of the ceremony that is cancelled; without, whichever runs is.')
    .default('')
    .inQuery(),
}
const shareFields = {
  key: string('One key share, in hex or base64.').default(''),
  nonce: string('The nonce of the ceremony.').default(''),
}

/** Where a ceremony lies, and how it answers. */
interface Manner {
  readonly at: 'rekey' | 'rotate/root'
  readonly access: Pick<Access, 'rootOnly' | 'openedBy'>
  readonly status: (status: RekeyStatus) => Response
  /** The texts are those of the shares, which are zeroed by then. */
  readonly made: (made: NewShares, texts: ShareTexts) => Response
  readonly verification: (status: RekeyStatus) => Response
  readonly verified: (nonce: string) => Response
}

interface ShareTexts {
  readonly keys: string[]
  readonly keys_base64: string[]
}

const CLASSIC: Manner = {
  at: 'rekey',
  access: {
    rootOnly: 'operation unavailable in namespaces',
    openedBy: 'disable_unauthed_rekey_endpoints',
  },
  status: (status) => ({
    bare: {
      nonce: status.nonce,
      started: status.state === 'running',
      t: status.sharing.threshold,
      n: status.sharing.shares,
      progress: status.progress,
      required: status.required,
      ...encryption(status),
      ...named(status),
      ...verification(status),
    },
  }),
  made: (made, texts) => ({
    bare: {
      nonce: made.nonce,
      complete: true,
      ...texts,
      ...encryption(made),
      ...named(made),
      ...verification(made),
    },
  }),
  verification: (status) => ({ bare: verificationMembers(status) }),
  verified: (nonce) => ({ bare: { nonce, complete: true } }),
}

const ENVELOPE: Manner = {
  at: 'rotate/root',
  access: { rootOnly: true },
  status(status) {
    const { sharing, nonce, progress, required, pgpFingerprints } = status
    const started = status.state === 'running'
    const members = { n: sharing.shares, required, started, t: sharing.threshold }
    if (!started) return { data: members }
    const encrypted = pgpFingerprints.length === 0 ? {} : encryption(status)
    return {
      data: {
        ...members,
        nonce,
        progress,
        ...encrypted,
        ...named(status),
        ...verificationOrEmpty(status),
      },
    }
  },
  made: (made, texts) => ({
    data: {
      ...encryption(made),
      complete: true,
      ...texts,
      nonce: made.nonce,
      ...named(made),
      ...verificationOrEmpty(made),
    },
  }),
  verification: (status) => ({ data: verificationMembers(status) }),
  verified: (nonce) => ({ data: { nonce, complete: true } }),
}

/**
 * @param rotateRoot the same ceremony as `rekey`, with the texts of its other name
 * @param warn tells the operator that the shares were replaced
 */
export function rekeyPaths(
  { rekey, rotateRoot }: { readonly rekey: Rekey; readonly rotateRoot: Rekey },
  warn: (text: string) => void,
) {
  return [
    ...ceremonyPaths(rekey, CLASSIC, warn),
    ...ceremonyPaths(rotateRoot, ENVELOPE, warn),
    path(['rekey-recovery-key/init', 'rekey-recovery-key/update', 'rekey-recovery-key/verify'], {
      ...CLASSIC.access,
      summary: 'There are no recovery keys: the seal opens by key shares',
      operations: refusing('recovery rekeying not supported'),
    }),
    path(['rotate/recovery/init', 'rotate/recovery/update', 'rotate/recovery/verify'], {
      rootOnly: true,
      summary: 'There are no recovery keys: the seal opens by key shares',
      operations: refusing('recovery keys not supported'),
    }),
    path('rotate/root', {
      rootOnly: true,
      sudo: true,
      summary: 'Not without key shares: only they can wrap a new root key',
      operations: {
        update: refusing(
          'a new root key takes the key shares, which wrap it: begin at sys/rotate/root/init',
        ).update,
      },
    }),
  ]
}

function ceremonyPaths(rekey: Rekey, manner: Manner, warn: (text: string) => void) {
  const { at, access } = manner
  const inForce = (apply: (() => Promise<void>) | undefined) => ({
    async afterwards() {
      if (apply === undefined) return
      await apply()
      warn('core: the key shares were replaced; the old ones open nothing any more')
    },
  })
  return [
    path(`${at}/init`, {
      ...access,
      summary: 'Begins, shows or ends the replacing of the key shares',
      fields: startFields,
      operations: {
        read: async (request) => manner.status(await rekey.status(momentOf(request))),
        update: {
          sudo: true,
          async handler(request) {
            const { data } = request
            const options = {
              shares: data.secret_shares,
              threshold: data.secret_threshold,
              verifies: data.require_verification,
              pgpKeys: data.pgp_keys,
              holders: data.secret_share_holders,
              backup: data.backup,
            }
            return manner.status(await rekey.start(momentOf(request), options))
          },
        },
        delete: {
          sudo: true,
          handler: (request) => rekey.cancel(momentOf(request), request.data.nonce),
        },
      },
    }),
    path(`${at}/update`, {
      ...access,
      summary:
        'Gives one of the present key shares; with the last that was missing new ones are made',
      fields: shareFields,
      operations: {
        async update(request: Request<typeof shareFields>): Promise<Response> {
          const after = await rekey.update(momentOf(request), request.data)
          if (after instanceof Error) return failing(after)
          if (after.state !== 'new shares') return manner.status(after)
          return { ...manner.made(after, textsOf(after.keys)), ...inForce(after.apply) }
        },
      },
    }),
    path(`${at}/verify`, {
      ...access,
      summary:
        'Gives back one of the new key shares; with a threshold of them they come into force',
      fields: shareFields,
      operations: {
        read: async (request) =>
          manner.verification(await rekey.verificationStatus(momentOf(request))),
        async update(request: Request<typeof shareFields>): Promise<Response> {
          const after = await rekey.verify(momentOf(request), request.data)
          if (after instanceof Error) return failing(after)
          if (after.state !== 'verified') return manner.verification(after)
          return { ...manner.verified(after.nonce), ...inForce(after.apply) }
        },
        delete: {
          sudo: true,
          handler: async (request) =>
            manner.verification(await rekey.restartVerification(momentOf(request))),
        },
      },
    }),
    path(`${at}/backup`, {
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

function refusing(text: string) {
  const refuse = (): never => {
    throw new BadRequest(text)
  }
  return { read: refuse, update: refuse, delete: refuse }
}

function encryption({
  pgpFingerprints: fingerprints,
  backup,
}: Pick<RekeyStatus, 'pgpFingerprints' | 'backup'>) {
  return { pgp_fingerprints: fingerprints.length === 0 ? null : [...fingerprints], backup }
}

/** Only where they were named, for it is no member that clients know. */
function named({ holders }: Pick<RekeyStatus, 'holders'>) {
  return holders.length === 0 ? {} : { holders: [...holders] }
}

/** Zeroes the shares once their texts are made. */
function textsOf(keys: readonly Buffer[]): ShareTexts {
  const texts = (coding: 'hex' | 'base64') => keys.map((key) => key.toString(coding))
  const both = { keys: texts('hex'), keys_base64: texts('base64') }
  for (const key of keys) key.fill(0)
  return both
}

type Verification = Pick<RekeyStatus, 'verifies' | 'verificationNonce'>

function verification({ verifies, verificationNonce }: Verification) {
  return {
    verification_required: verifies,
    ...(verificationNonce !== '' && { verification_nonce: verificationNonce }),
  }
}

function verificationOrEmpty({ verifies, verificationNonce }: Verification) {
  return { verification_nonce: verificationNonce, verification_required: verifies }
}

function verificationMembers({ nonce, state, sharing, progress }: RekeyStatus) {
  const { threshold: t, shares: n } = sharing
  return { nonce, started: state === 'running', t, n, progress }
}
