/**
 * Who sent a request: the peer of the connection or, where the peer is a proxy that the listener trusts, whom the proxy
 * names in `X-Forwarded-For`. Addresses come out in one spelling: IPv4 inside of IPv6 as IPv4, no zone.
 */
import { BlockList, isIPv4, isIPv6, SocketAddress, type Socket } from 'node:net'
import { TLSSocket, type DetailedPeerCertificate } from 'node:tls'
import { addCidr } from '../cidr.ts'
import { BadRequest } from '../errors.ts'
import type { Client } from '../plugin/request.ts'

/** The `x_forwarded_for_*` settings of a listener. */
export interface ForwardedFor {
  readonly authorized: BlockList
  /** How many addresses at the end of the header are proxies of our own. */
  readonly hopSkips: number
  readonly rejectNotAuthorized: boolean
  readonly rejectNotPresent: boolean
}

const MAPPED = '::ffff:'
const IPV4_WITH_PORT = /^([\d.]+):\d+$/
const IPV6_IN_BRACKETS = /^\[([^\]]+)\](?::\d+)?$/
/** A chain is cut where no certificate could be verified any more; guards against loops too. */
const MAX_CHAIN = 10

const CLIENT = Symbol('client')
type KnownSocket = Socket & { [CLIENT]?: Client }

/** hot: every request. The peer of the connection, looked up once a connection. */
export function peerOf(socket: KnownSocket): Client {
  return (socket[CLIENT] ??= findPeer(socket))
}

function findPeer(socket: Socket): Client {
  const address = canonicalAddress(socket.remoteAddress ?? '') ?? ''
  const port = socket.remotePort ?? 0
  const certificates = socket instanceof TLSSocket ? peerCertificates(socket) : []
  return certificates.length === 0 ? { address, port } : { address, port, certificates }
}

/** Leaf first. TLS has proven that the client has the leaf's key; whom to trust is for the reader to decide. */
function peerCertificates(socket: TLSSocket): readonly Buffer[] {
  const chain: Buffer[] = []
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (certificate?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(certificate.raw)
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate
    certificate = issuer === certificate ? undefined : issuer
  }
  return chain
}

/**
 * hot where it is configured.
 *
 * @param header `X-Forwarded-For`, several joined by commas
 * @throws {BadRequest} the peer may not speak for others, or what it says is no address
 */
export function forwardedClient(
  peer: Client,
  header: string | undefined,
  rules: ForwardedFor,
): Client {
  if (header === undefined || header === '') {
    if (!rules.rejectNotPresent) return peer
    throw new BadRequest(
      'missing X-Forwarded-For header; this listener takes requests through its proxies only (x_forwarded_for_reject_not_present)',
    )
  }
  if (!contains(rules.authorized, peer.address)) {
    if (!rules.rejectNotAuthorized) return peer
    throw new BadRequest(
      'this client may not send X-Forwarded-For; leave the header out, or add the address to x_forwarded_for_authorized_addrs',
    )
  }
  const hops = header.split(',')
  const hop = hops[hops.length - 1 - rules.hopSkips]
  if (hop === undefined) {
    throw new BadRequest(
      `X-Forwarded-For holds ${hops.length} addresses, fewer than x_forwarded_for_hop_skips expects`,
    )
  }
  const address = addressOfHop(hop.trim())
  if (address === undefined)
    throw new BadRequest('X-Forwarded-For holds something that is no IP address')
  return { ...peer, address }
}

/** Some proxies add the port. */
function addressOfHop(hop: string): string | undefined {
  return canonicalAddress(IPV4_WITH_PORT.exec(hop)?.[1] ?? IPV6_IN_BRACKETS.exec(hop)?.[1] ?? hop)
}

/** `undefined` where it is no IP address. */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  if (!isIPv6(text)) return undefined
  const zone = text.indexOf('%')
  const { address } = new SocketAddress({
    address: zone < 0 ? text : text.slice(0, zone),
    family: 'ipv6',
  })
  const inner = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : ''
  return isIPv4(inner) ? inner : address
}

/** Whether a canonical address lies in one of the ranges. */
export function contains(list: BlockList, address: string): boolean {
  return address !== '' && list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}

/** Addresses and ranges (`10.0.0.0/8`); the first text that is none of these comes back as `invalid`. */
export function parseRanges(
  texts: readonly string[],
): { readonly list: BlockList } | { readonly invalid: string } {
  const list = new BlockList()
  const invalid = texts.find((text) => !addCidr(list, text))
  return invalid === undefined ? { list } : { invalid }
}
