/**
 * Where a device sends lines over the network or to another process, read from its options `address`, `socket_type`,
 * `ca_cert` and `write_timeout`.
 */
import { X509Certificate } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { isAbsolute } from 'node:path'
import { parseDurationSeconds } from '../../duration.ts'
import { BadRequest } from '../../errors.ts'

export type PeerAddress = StreamAddress | DatagramAddress

export type StreamAddress =
  | {
      readonly kind: 'tcp'
      readonly host: string
      readonly port: number
      /** 0: whichever the name has. */
      readonly family: 0 | 4 | 6
    }
  | {
      readonly kind: 'tls'
      readonly host: string
      readonly port: number
      /** PEM; absent: the authorities that Node knows. */
      readonly ca?: string | undefined
    }
  | { readonly kind: 'unix'; readonly path: string }

export interface DatagramAddress {
  readonly kind: 'udp'
  readonly host: string
  readonly port: number
  readonly family: 4 | 6
}

type Options = Readonly<Record<string, string>>

/** As Vault's socket device. */
const DEFAULT_WRITE_TIMEOUT = '2s'
/** A request waits as long for its line. */
const MAX_WRITE_TIMEOUT_SECONDS = 60
const MIN_WRITE_TIMEOUT_SECONDS = 0.001
const MAX_PORT = 65_535
/** `sun_path` of Linux, without its closing NUL, in bytes. */
const MAX_SOCKET_PATH_BYTES = 107
const HOST_AND_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]{0,253})):(\d{1,5})$/
/** Far more than a chain of authorities takes. */
const MAX_CA_CHARACTERS = 65_536

/** @throws {BadRequest} the kind of socket is unknown or cannot be had, or the address is not one of that kind */
export function parsePeer(address: string, socketType: string, options: Options): PeerAddress {
  switch (socketType) {
    case 'tcp':
    case 'tcp4':
    case 'tcp6': {
      const family = socketType === 'tcp4' ? 4 : socketType === 'tcp6' ? 6 : 0
      return { kind: 'tcp', ...hostAndPort(address), family }
    }
    case 'tls':
      return { kind: 'tls', ...hostAndPort(address), ca: readAuthorities(options['ca_cert']) }
    case 'udp':
    case 'udp4':
    case 'udp6':
      return datagramAddress(address, socketType)
    case 'unix':
      return { kind: 'unix', path: socketPath(address) }
    case 'unixgram':
    case 'unixpacket':
      throw new BadRequest(
        'this server has no unix sockets of datagrams or packets; use "socket_type" "unix" for one of streams, or "udp" to 127.0.0.1',
      )
    default:
      throw new BadRequest(
        '"socket_type" may be "tcp", "tcp4", "tcp6", "tls", "udp", "udp4", "udp6" or "unix"',
      )
  }
}

/** Milliseconds. @throws {BadRequest} no duration, or too short or long a one */
export function readWriteTimeout({ write_timeout: text = DEFAULT_WRITE_TIMEOUT }: Options): number {
  const seconds = parseDurationSeconds(text)
  if (seconds < MIN_WRITE_TIMEOUT_SECONDS || seconds > MAX_WRITE_TIMEOUT_SECONDS)
    throw new BadRequest('"write_timeout" must be between "1ms" and "60s"')
  return seconds * 1000
}

/** @param text PEM @throws {BadRequest} it holds no certificate */
export function readAuthorities(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    if (text.length <= MAX_CA_CHARACTERS && new X509Certificate(text).ca) return text
  } catch {
    // What it says may repeat the text.
  }
  throw new BadRequest(
    '"ca_cert" must be the certificate of an authority in PEM form (the text, not a file)',
  )
}

function hostAndPort(address: string): { host: string; port: number } {
  const [, bracketed, name = '', digits] = HOST_AND_PORT.exec(address) ?? []
  const port = Number(digits)
  if (digits === undefined || port === 0 || port > MAX_PORT)
    throw new BadRequest('"address" must be a host and a port, such as "127.0.0.1:9090"')
  return { host: bracketed ?? (name || 'localhost'), port }
}

function datagramAddress(address: string, socketType: 'udp' | 'udp4' | 'udp6'): DatagramAddress {
  const { host, port } = hostAndPort(address)
  const family = socketType === 'udp6' || (socketType === 'udp' && isIPv6(host)) ? 6 : 4
  return { kind: 'udp', host, port, family }
}

function socketPath(path: string): string {
  const fits = Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES && !path.includes('\0')
  if (!isAbsolute(path) || !fits)
    throw new BadRequest(
      `"address" must be the absolute path of a socket, of up to ${MAX_SOCKET_PATH_BYTES} bytes`,
    )
  return path
}
