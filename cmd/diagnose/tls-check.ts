/** Certificates of the listeners: that they load, belong to their keys, are in date, complete, and name this node. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { showAddress } from '../../core/http/bind.ts'
import { ListenerRefused } from '../../core/http/listener-refused.ts'
import { certificatesIn, readTlsOptions, type TlsConfig } from '../../core/http/tls-files.ts'
import type { Check, Subject } from './check.ts'
import { failure, ok, skipped, warning, type Finding } from './finding.ts'
import { faultsOf } from './permissions.ts'

const DAY_MS = 86_400_000
const SOON_DAYS = 30

export const tlsCheck: Check = {
  name: 'tls',
  title: 'TLS',
  async run(subject) {
    const found: Finding[] = []
    for (const { tls, address } of subject.config.running.listeners) {
      if (tls !== undefined) found.push(...(await judge(tls, showAddress(address), subject)))
    }
    return found.length === 0 ? [skipped('no listener speaks TLS')] : found
  },
}

async function judge(tls: TlsConfig, shown: string, subject: Subject): Promise<Finding[]> {
  const { machine } = subject
  const key = { what: 'the private key', path: tls.keyFile, isSecret: true }
  const cert = { what: 'the certificate', path: tls.certFile }
  const faults = [...(faultsOf(key, machine) ?? []), ...(faultsOf(cert, machine) ?? [])]
  try {
    await readTlsOptions(tls)
  } catch (error) {
    if (!(error instanceof ListenerRefused)) throw error
    return [...faults, failure(error.message, error.hint)]
  }
  const chain = certificatesIn(readFileSync(tls.certFile, 'utf8'))
  const [leaf] = chain
  if (leaf === undefined) return faults
  const doubts = [
    ...chain.flatMap((one) => dateFaults(one, tls.certFile, machine.nowMs)),
    ...authorityFaults(tls.clientCaFile, machine.nowMs),
    ...chainFaults(chain, tls.certFile),
    ...nameFaults(leaf, tls.certFile, subject.config.apiAddress),
  ]
  if (doubts.length > 0) return [...faults, ...doubts]
  const until = new Date(leaf.validTo).toISOString().slice(0, 10)
  return [
    ...faults,
    ok(`the certificate of ${shown} belongs to its key and is good until ${until}`),
  ]
}

function dateFaults(one: X509Certificate, file: string, nowMs: number): Finding[] {
  const [from, to] = [Date.parse(one.validFrom), Date.parse(one.validTo)]
  const named = `the certificate of ${nameOf(one)} in ${file}`
  if (nowMs < from) {
    return [failure(`${named} is not good before ${one.validFrom}`, 'wait, or look at the clock')]
  }
  const days = Math.floor((to - nowMs) / DAY_MS)
  const advice = 'have a new one made, put it there, and send the server SIGHUP'
  if (to <= nowMs) return [failure(`${named} has expired (${one.validTo})`, advice)]
  return days < SOON_DAYS ? [warning(`${named} expires in ${days} days`, advice)] : []
}

/** Whose client certificates are taken. */
function authorityFaults(file: string | undefined, nowMs: number): Finding[] {
  if (file === undefined) return []
  return certificatesIn(readFileSync(file, 'utf8')).flatMap((one) => dateFaults(one, file, nowMs))
}

function nameOf({ subject }: X509Certificate): string {
  return subject.split('\n').at(-1) ?? ''
}

/** Each must be issued by the next, and the last by an authority that clients know. */
function chainFaults(chain: readonly X509Certificate[], file: string): Finding[] {
  for (const [at, one] of chain.entries()) {
    const next = chain[at + 1]
    if (next !== undefined && !(one.checkIssued(next) && one.verify(next.publicKey))) {
      return [
        failure(
          `in ${file} the certificate ${at + 2} did not issue the one before it`,
          'put the certificate of the server first, then the one that issued it, and so on',
        ),
      ]
    }
  }
  const last = chain.at(-1)
  if (last === undefined || chain.length > 1 || last.checkIssued(last) || isPublic(last)) return []
  return [
    warning(
      `${file} holds one certificate, issued by ${last.issuer.split('\n').at(-1) ?? ''}: clients that know only the root of that authority refuse it`,
      'if there is an intermediate authority, append its certificate; else give clients this authority as VAULT_CACERT',
    ),
  ]
}

function isPublic(one: X509Certificate): boolean {
  return rootCertificates.some((pem) => one.checkIssued(new X509Certificate(pem)))
}

function nameFaults(leaf: X509Certificate, file: string, apiAddress: string | undefined) {
  const host = hostOf(apiAddress)
  if (host === undefined) return []
  const named = isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)
  if (named !== undefined) return []
  return [
    warning(
      `the certificate in ${file} does not name ${host}, which is the host of api_addr`,
      'have one made with that name in its subjectAltName, or change api_addr; where a proxy ends TLS for clients, leave it',
    ),
  ]
}

function hostOf(apiAddress: string | undefined): string | undefined {
  if (apiAddress === undefined || !URL.canParse(apiAddress)) return undefined
  return new URL(apiAddress).hostname.replace(/^\[(.*)\]$/, '$1')
}
