/**
 * `server -dev`: a server to try things on. It is initialised and unsealed by itself, with one share, keeps its data in
 * an embedded SQLite file that goes with it, and has `secret/` mounted as KV v2. Never for secrets that matter.
 */
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../core/clock.ts'
import type { ListenAddress } from '../../core/http/bind.ts'
import { DEFAULT_BODY_LIMITS } from '../../core/http/body.ts'
import { DEFAULT_LIMITS } from '../../core/http/listener.ts'
import { DEFAULT_CUSTOM_HEADERS } from '../../core/http/response-headers.ts'
import type { TlsConfig } from '../../core/http/tls-files.ts'
import type { Node } from '../../core/node.ts'
import { systemRandom } from '../../core/random.ts'
import { RESERVED_PREFIXES } from '../../core/tokens/identifier.ts'
import { SYSTEM_TTL_SECONDS } from '../../core/ttl.ts'
import { parseAddress } from './config-listener.ts'
import { makeDevCertificate, writeDevFiles, type DevFiles } from './dev-certificate.ts'
import { FlagsRefused } from './flags.ts'
import type { RunningConfig } from './running.ts'

export const DEFAULT_DEV_ADDRESS = '127.0.0.1:8200'

/** What a person needs to use it. */
export interface DevKeys {
  readonly unsealKey: string
  readonly rootToken: string
}

/** A private folder for the data; `remove` takes it away. */
export function devFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'keyhold-dev-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/**
 * Audit files may lie anywhere below the system's folder for temporary files.
 *
 * @param folder of the data
 * @param files of the listener's certificate; undefined: no TLS
 */
export function devConfig(
  address: ListenAddress,
  { folder, files }: { folder: string; files: DevFiles | undefined },
): RunningConfig {
  return {
    storage: { type: 'sqlite', path: join(folder, 'keyhold.db') },
    listeners: [
      {
        address,
        tls: files && tlsConfig(files),
        forwardedFor: undefined,
        responseHeaders: DEFAULT_CUSTOM_HEADERS,
        limits: DEFAULT_LIMITS,
        viaHono: false,
      },
    ],
    audit: { device: { auditDirectory: tmpdir() }, allowApiCreation: true },
    systemTtl: { defaultSeconds: SYSTEM_TTL_SECONDS, maxSeconds: SYSTEM_TTL_SECONDS },
    limits: DEFAULT_BODY_LIMITS,
    clusterName: undefined,
  }
}

/** @throws {FlagsRefused} it is no address */
export function devAddress(text: string): ListenAddress & { readonly kind: 'tcp' } {
  const parsed = parseAddress(text)
  if (parsed?.kind === 'tcp') return parsed
  throw new FlagsRefused(
    `-dev-listen-address must be host and port, such as ${DEFAULT_DEV_ADDRESS}`,
  )
}

function tlsConfig({ certFile, keyFile }: DevFiles): TlsConfig {
  return {
    certFile,
    keyFile,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    clientCaFile: undefined,
    requireClientCert: false,
    disableClientCerts: false,
    ciphers: undefined,
  }
}

/** The certificate of a start. */
export interface DevTls {
  /** What the listener reads. */
  readonly files: DevFiles
  /** Done once it listens, so that a second start that fails leaves the files of the first alone; where clients find it. */
  readonly publish: () => DevFiles
}

/**
 * A certificate for this start, in files.
 *
 * @param named the folder of `-dev-tls-cert-dir`; without, they lie with the data
 * @throws {FlagsRefused} the folder cannot be written to
 */
export function devCertificate(
  { host }: { host: string },
  { named, folder }: { named: string | undefined; folder: string },
): DevTls {
  if (named !== undefined) checkCertificateFolder(named)
  const made = makeDevCertificate(host, { random: systemRandom, nowMs: systemClock.nowMs() })
  const files = writeDevFiles(folder, made)
  return { files, publish: () => (named === undefined ? files : writeDevFiles(named, made)) }
}

function checkCertificateFolder(named: string): void {
  try {
    accessSync(`${named}/`, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new FlagsRefused(
      `-dev-tls-cert-dir must be a folder that the server can write to; ${named} is none`,
      { cause },
    )
  }
}

/** Characters that a header and a shell's quotes carry unchanged; a dot would name a namespace. */
const TOKEN_TEXT = /^[!-&(-\-/-~]{1,256}$/

/** @throws {FlagsRefused} nobody could log in with it */
export function checkRootTokenId(text: string | undefined): void {
  if (text === undefined) return
  if (TOKEN_TEXT.test(text) && !RESERVED_PREFIXES.some((prefix) => text.startsWith(prefix))) return
  throw new FlagsRefused(
    '-dev-root-token-id may have 1 to 256 letters, digits and signs, without blanks, dots and quotes',
  )
}

/** Initialises, unseals, and mounts `secret/`. */
export async function prepareDev(
  node: Node,
  { rootTokenId }: { rootTokenId: string | undefined },
): Promise<DevKeys> {
  const { shares, rootToken } = await node.initialize({ shares: 1, threshold: 1 }, { rootTokenId })
  const unsealKey = shares[0]?.toString('base64') ?? ''
  for (const share of shares) share.fill(0)
  await node.provideShare(unsealKey)
  await mountSecret(node, rootToken)
  return { unsealKey, rootToken }
}

/** By the API, as a person would. */
async function mountSecret(node: Node, rootToken: string): Promise<void> {
  const body = { type: 'kv', options: { version: '2' }, description: 'key/value secret storage' }
  const answer = await node.handle({
    method: 'POST',
    path: '/v1/sys/mounts/secret',
    query: new Map(),
    headers: { 'x-vault-token': rootToken, 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
    client: { address: '127.0.0.1', port: 0 },
  })
  if (answer.status !== 204) {
    const why = typeof answer.body === 'string' ? answer.body : ''
    throw new Error(`mounting secret/ answered ${answer.status} ${why}`)
  }
}

/** What is printed once the server is ready. Suites wait for its lines `Unseal Key:` and `Root Token:`. */
export function devBanner(
  { url, authorityFile }: { url: string; authorityFile: string | undefined },
  keys: DevKeys,
  command: string,
): string {
  const authority =
    authorityFile === undefined ? '' : `    $ export VAULT_CACERT='${authorityFile}'\n`
  const curl = authorityFile === undefined ? 'curl' : 'curl --cacert "$VAULT_CACERT"'
  return `WARNING! dev mode is enabled! The server unseals itself and forgets everything when it stops.
Never keep secrets in it that matter.

You may need to set the following environment variables:

    $ export VAULT_ADDR='${url}'
${authority}    $ export VAULT_TOKEN='${keys.rootToken}'

The unseal key and root token are displayed below in case you want to
seal/unseal the server or re-authenticate.

Unseal Key: ${keys.unsealKey}
Root Token: ${keys.rootToken}

Three commands to try:

    ${curl} -H "X-Vault-Token: $VAULT_TOKEN" -d '{"data":{"password":"s3cr3t"}}' $VAULT_ADDR/v1/secret/data/app
    ${curl} -H "X-Vault-Token: $VAULT_TOKEN" $VAULT_ADDR/v1/secret/data/app
    ${command} kv get secret/app

Development mode should NOT be used in production installations!

`
}
