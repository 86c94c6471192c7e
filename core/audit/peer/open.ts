/** The device that an operator's options ask for. */
import type { Clock } from '../../clock.ts'
import type { AuditDevice } from '../device.ts'
import type { PeerAddress } from './address.ts'
import { DatagramPeer } from './datagrams.ts'
import { PeerDevice } from './device.ts'
import { HttpPeer } from './http.ts'
import type { HttpSink } from './http-options.ts'
import { eachLine } from './lines.ts'
import type { Peer } from './peer.ts'
import { StreamPeer } from './stream.ts'
import { syslogMessages, type SyslogSink } from './syslog.ts'

export interface SocketSink {
  readonly kind: 'socket'
  readonly address: PeerAddress
  readonly timeoutMs: number
}

export type PeerSink = SocketSink | SyslogSink | HttpSink

/** Connects to nobody yet. */
export function openPeerDevice(sink: PeerSink, clock: Clock): AuditDevice {
  const { timeoutMs } = sink
  return new PeerDevice({ peer: peerOf(sink), timeoutMs, messages: messagesOf(sink, clock), clock })
}

function peerOf(sink: PeerSink): Peer {
  if (sink.kind === 'http') return new HttpPeer(sink)
  const { address } = sink
  return address.kind === 'udp' ? new DatagramPeer(address) : new StreamPeer(address)
}

function messagesOf(sink: PeerSink, clock: Clock): (lines: string) => readonly string[] {
  switch (sink.kind) {
    case 'syslog':
      return syslogMessages(sink, clock)
    case 'http':
      return sink.batch ? together : eachLine
    case 'socket':
      return sink.address.kind === 'udp' ? eachLine : together
  }
}

function together(lines: string): readonly string[] {
  return [lines]
}
