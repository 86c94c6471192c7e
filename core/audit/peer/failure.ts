/** What to say of a log server that cannot be reached; no text names an address (an operator's input). */
import { AuditWriteFailed } from '../failures.ts'

const DATAGRAMS =
  'the socket takes datagrams, which this server cannot send to a unix socket; let the log server listen on UDP at 127.0.0.1, or on a unix socket of streams'

const HINTS: ReadonlyMap<string, string> = new Map([
  [
    'ECONNREFUSED',
    'nobody listens at the address of the device; start the log server, or correct the address',
  ],
  ['ECONNRESET', 'the log server has broken the connection'],
  ['EPIPE', 'the log server has closed the connection'],
  ['ENOTFOUND', 'the name in the address does not resolve; correct it, or give a number'],
  ['EAI_AGAIN', 'the name in the address cannot be resolved now; check the name servers'],
  ['EHOSTUNREACH', 'there is no way to the host of the address; check the network'],
  ['ENETUNREACH', 'there is no way to the network of the address; check the network'],
  ['ETIMEDOUT', 'the host of the address does not answer'],
  ['ENOENT', 'there is no socket at the address; start the log server, or correct the path'],
  ['ENOTSOCK', 'what lies at the address is no socket'],
  ['EACCES', 'the server may not write to the socket at the address; check its owner and mode'],
  ['EPROTOTYPE', DATAGRAMS],
  ['EMSGSIZE', 'the line is too long for a datagram; use a "socket_type" of streams'],
])

/** @param error what node:net, node:tls, node:dgram or node:http gave */
export function peerFailed(error: unknown): AuditWriteFailed {
  if (error instanceof AuditWriteFailed) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return new AuditWriteFailed(
    HINTS.get(code) ?? certificateHint(code) ?? `the log server cannot be reached (${code})`,
    error,
  )
}

function certificateHint(code: string): string | undefined {
  return /CERT|SIGNATURE|ISSUER/.test(code)
    ? `the log server's certificate is not trusted (${code}); its certificate must be of the authority in "ca_cert", and for the host in the address`
    : undefined
}
