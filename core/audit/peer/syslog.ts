/**
 * Lines as messages of syslog.
 *
 * Forms    RFC 5424, or the older one of RFC 3164; without a host's name for the socket of this machine, as is usual there.
 * Framing  over TCP and TLS each message follows its length in bytes (RFC 6587, 3.4.1; RFC 5425, 4.3); a datagram is
 *          one message; over a unix socket each ends with a newline.
 */
import { hostname } from 'node:os'
import { rfc3339, type Clock } from '../../clock.ts'
import { BadRequest } from '../../errors.ts'
import { parsePeer, readWriteTimeout, type PeerAddress } from './address.ts'
import { eachLine } from './lines.ts'

export interface SyslogSink {
  readonly kind: 'syslog'
  readonly address: PeerAddress
  readonly timeoutMs: number
  /** As in RFC 5424, 6.2.1. */
  readonly facility: number
  readonly tag: string
  readonly form: 'rfc5424' | 'rfc3164'
}

/** By their numbers. */
const FACILITIES =
  'KERN USER MAIL DAEMON AUTH SYSLOG LPR NEWS UUCP CRON AUTHPRIV FTP NTP AUDIT ALERT CLOCK LOCAL0 LOCAL1 LOCAL2 LOCAL3 LOCAL4 LOCAL5 LOCAL6 LOCAL7'.split(
    ' ',
  )
const LOCAL_SOCKET = '/dev/log'
const SEVERITY_INFORMATIONAL = 6
/** APP-NAME of RFC 5424; what could end the tag in the older form is not in it. */
const TAG = /^[\w.@/-]{1,48}$/
const HOST_NAME = /^[!-~]{1,255}$/
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** @throws {BadRequest} an option is wrong */
export function readSyslogSink(options: Readonly<Record<string, string>>): SyslogSink {
  const {
    address: where,
    facility = 'AUTH',
    tag = 'vault',
    socket_type: type,
    syslog_format,
  } = options
  const number = FACILITIES.indexOf(facility.toUpperCase())
  if (number < 0)
    throw new BadRequest(
      '"facility" must be the name of a syslog facility, such as "AUTH" or "LOCAL0"',
    )
  if (!TAG.test(tag))
    throw new BadRequest('"tag" may have up to 48 letters, digits and characters of "_.@/-"')
  const address =
    where === undefined
      ? parsePeer(LOCAL_SOCKET, 'unix', options)
      : parsePeer(where, type ?? 'udp', options)
  const form = syslog_format ?? (address.kind === 'unix' ? 'rfc3164' : 'rfc5424')
  if (form !== 'rfc5424' && form !== 'rfc3164')
    throw new BadRequest('"syslog_format" may be "rfc5424" or "rfc3164"')
  return {
    kind: 'syslog',
    address,
    timeoutMs: readWriteTimeout(options),
    facility: number,
    tag,
    form,
  }
}

/** @returns what makes messages of whole lines */
export function syslogMessages(
  sink: SyslogSink,
  clock: Clock,
): (lines: string) => readonly string[] {
  const frame = framing(sink.address.kind)
  return (lines) => {
    const head = headOf(sink, clock.nowMs())
    return eachLine(lines).map((line) => frame(head + line.trimEnd()))
  }
}

function framing(kind: PeerAddress['kind']): (message: string) => string {
  switch (kind) {
    case 'udp':
      return (message) => message
    case 'unix':
      return (message) => `${message}\n`
    case 'tcp':
    case 'tls':
      return (message) => `${Buffer.byteLength(message)} ${message}`
  }
}

function headOf({ facility, form, address, tag }: SyslogSink, nowMs: number): string {
  const priority = `<${facility * 8 + SEVERITY_INFORMATIONAL}>`
  const name = hostname()
  const host = HOST_NAME.test(name) ? name : '-'
  if (form === 'rfc5424')
    return `${priority}1 ${rfc3339(nowMs)} ${host} ${tag} ${process.pid} audit - `
  const from = address.kind === 'unix' ? '' : `${host} `
  return `${priority}${localTime(nowMs)} ${from}${tag}[${process.pid}]: `
}

/** `Jan  2 03:04:05`, in the time zone of the machine, as RFC 3164 has it. */
function localTime(ms: number): string {
  const time = new Date(ms)
  const two = (number: number) => String(number).padStart(2, '0')
  const day = String(time.getDate()).padStart(2, ' ')
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')
  return `${MONTHS[time.getMonth()] ?? ''} ${day} ${clock}`
}
