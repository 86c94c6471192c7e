/**
 * The audit device that sends lines to a peer: for `socket`, `syslog` and `http`.
 *
 * Kept     a connection is used as long as it lives. If it turns out dead, a new one is made and all lines of the write
 *          are sent again: the peer may get a line twice, never half of one as a whole.
 * Waits    at most the write timeout, for connecting, sending and sending again together. After that the device is given
 *          up for `REST_MS`: who waited behind that write, or comes in between, is told so at once.
 * Fails    AuditWriteFailed. Without a timeout (nobody listens) the next write tries again.
 */
import type { Clock } from '../../clock.ts'
import type { AuditDevice } from '../device.ts'
import { AuditWriteFailed } from '../failures.ts'
import { peerFailed } from './failure.ts'
import type { Peer } from './peer.ts'

/** A log server that hangs costs each request of one moment in this the write timeout, and the others nothing. */
const REST_MS = 1_000

export interface PeerDeviceOptions {
  readonly peer: Peer
  readonly timeoutMs: number
  /** The messages that whole lines become: each is one datagram, and a part of a stream. */
  readonly messages: (lines: string) => readonly string[]
  readonly clock: Clock
}

export class PeerDevice implements AuditDevice {
  readonly #options: PeerDeviceOptions
  readonly #peer: Peer
  /** Connect anew before the next write. */
  #stale = false
  #restsUntilMs = Number.NEGATIVE_INFINITY

  constructor(options: PeerDeviceOptions) {
    this.#options = options
    this.#peer = options.peer
  }

  async write(lines: string): Promise<void> {
    const { clock, messages, timeoutMs } = this.#options
    const startedMs = clock.monotonicMs()
    if (startedMs < this.#restsUntilMs) throw hanging()
    if (this.#stale) this.#peer.end()
    this.#stale = false
    let late = false
    const timeout = Promise.withResolvers<never>()
    const cancel = clock.after(timeoutMs, () => {
      late = true
      this.#restsUntilMs = clock.monotonicMs() + REST_MS
      timeout.reject(hanging())
    })
    try {
      await Promise.race([this.#sendOrAgain(messages(lines), () => late), timeout.promise])
    } catch (error) {
      this.#peer.drop()
      throw peerFailed(error)
    } finally {
      cancel()
    }
  }

  /** Whether a peer is there shows when something is sent. */
  check(): void {}

  reopen(): void {
    this.#stale = true
    this.#restsUntilMs = Number.NEGATIVE_INFINITY
  }

  close(): void {
    this.#peer.end()
  }

  async #sendOrAgain(messages: readonly string[], late: () => boolean): Promise<void> {
    const old = this.#peer.connected
    try {
      await this.#peer.send(messages)
    } catch (error) {
      if (!old || late() || error instanceof AuditWriteFailed) throw error
      this.#peer.drop()
      await this.#peer.send(messages)
    }
  }
}

function hanging(): AuditWriteFailed {
  return new AuditWriteFailed('the log server takes nothing within the "write_timeout"')
}
