/** The JSON of an answer: Vault's envelope (contract: http.md, 4). */
import { escapeHtml, stringifyJson } from '../json.ts'
import type { AuthAnswer, WrapInfo } from '../plugin/response.ts'

export interface Envelope {
  readonly requestId: string
  readonly leaseId?: string
  readonly renewable?: boolean
  readonly leaseDurationSeconds?: number
  readonly data?: unknown
  readonly wrapInfo?: WrapInfo
  readonly warnings?: readonly string[]
  readonly auth?: AuthAnswer
}

/** Paths whose `data` is written at the top level too; those that end in '/' stand for all below. */
const COPIED = new Set([
  'sys/audit',
  'sys/auth',
  'sys/config/cors',
  'sys/config/auditing/request-headers',
  'sys/capabilities',
  'sys/capabilities-accessor',
  'sys/capabilities-self',
  'sys/ha-status',
  'sys/key-status',
  'sys/mounts',
  'sys/policy',
  'sys/rekey/backup',
  'sys/rekey/recovery-key-backup',
  'sys/rotate/root/backup',
  'sys/rotate/recovery/backup',
  'sys/remount',
  'sys/rotate',
  'sys/rotate/keyring',
  'sys/wrapping/wrap',
])
const COPIED_BELOW = [
  'sys/audit/',
  'sys/audit-hash/',
  'sys/auth/',
  'sys/config/auditing/request-headers/',
  'sys/mounts/',
  'sys/policy/',
]

/** hot. @param path relative to the namespace, for the copies at the top level */
export function renderEnvelope(envelope: Envelope, path: string): string {
  const data =
    envelope.data === undefined || envelope.data === null ? 'null' : stringifyJson(envelope.data)
  const copies = data !== 'null' && isCopied(path) && data.length > 2 ? `${data.slice(1, -1)},` : ''
  return (
    `{${copies}"request_id":"${envelope.requestId}",` +
    `"lease_id":"${envelope.leaseId ?? ''}",` +
    `"renewable":${envelope.renewable ?? false},` +
    `"lease_duration":${envelope.leaseDurationSeconds ?? 0},` +
    `"data":${data},` +
    `"wrap_info":${ordered(envelope.wrapInfo)},` +
    `"warnings":${ordered(envelope.warnings)},` +
    `"auth":${ordered(envelope.auth)}}\n`
  )
}

function isCopied(path: string): boolean {
  return (
    path.startsWith('sys/') &&
    (COPIED.has(path.replace(/\/$/, '')) || COPIED_BELOW.some((prefix) => path.startsWith(prefix)))
  )
}

/** In the order in which the members were made, which is the wire's. */
function ordered(value: unknown): string {
  return value === undefined ? 'null' : escapeHtml(JSON.stringify(value))
}
