/**
 * A device of the table, ready for entries: its salt, its format, its place, its queue.
 */
import { dirname } from 'node:path'
import type { Clock } from '../clock.ts'
import { RequestError } from '../errors.ts'
import { fileDevice } from './chain/device.ts'
import { signingKey } from './chain/keys.ts'
import { startSigningThread } from './chain/signer.ts'
import type { AuditDevice } from './device.ts'
import { DiscardDevice } from './discard.ts'
import { EntryWriter, type EntryFormat } from './entry.ts'
import type { RequestEntry, RequestFacts, ResponseEntry } from './facts.ts'
import { AuditWriteFailed, writeFailed } from './failures.ts'
import type { Selection } from './filter.ts'
import { LineGroup, type Outcome } from './line-group.ts'
import { mayHang } from './local-file-systems.ts'
import { parseDevice, type AuditConfig, type FileSink, type Sink } from './options.ts'
import { openPeerDevice } from './peer/open.ts'
import { SaltedHash } from './salted-hash.ts'
import { StdoutDevice } from './stdout.ts'
import type { AuditDeviceRecord } from './table.ts'
import { ThreadDevice } from './thread/device.ts'
import { startFileThread } from './thread/start.ts'

export interface OpenDeviceContext {
  readonly config: AuditConfig
  readonly clock: Clock
  /** Told when a device begins to fail, from time to time while it does, and (`undefined`) when it works again. */
  readonly report: (path: string, failure: AuditWriteFailed | undefined) => void
}

/** How often a device that goes on failing is reported. */
const REPORT_EVERY_MS = 10_000
/** As Vault's socket device. */
const DEFAULT_TIMEOUT_MS = 2_000

export class OpenDevice {
  readonly record: AuditDeviceRecord
  /** Which entries it gets; `undefined`: all. */
  readonly selection: Selection | undefined
  readonly #context: OpenDeviceContext
  readonly #hash: SaltedHash
  readonly #writer: EntryWriter
  readonly #device: AuditDevice
  readonly #group: LineGroup
  #reportedAtMs: number | undefined

  /** Never throws: a device that cannot be opened fails its entries, so that nothing goes unaudited. */
  constructor(record: AuditDeviceRecord, context: OpenDeviceContext) {
    this.record = record
    this.#context = context
    const salt = Buffer.from(record.salt, 'base64')
    this.#hash = new SaltedHash(salt)
    const { device, format, selection } = prepare(record, context, salt)
    this.selection = selection
    salt.fill(0)
    this.#device = device
    this.#writer = new EntryWriter(this.#hash, format)
    this.#group = new LineGroup(device, (failure) => this.#note(failure))
  }

  /** Whether an entry of this request is for it, as far as it knows itself: a fallback looks at the others. */
  takes(request: RequestFacts): boolean {
    return this.selection?.fallback === undefined && (this.selection?.filter?.(request) ?? true)
  }

  /** hot */
  recordRequest(entry: RequestEntry): Outcome {
    try {
      return this.#group.add(this.#writer.requestLine(entry))
    } catch (error) {
      return this.#unwritable(error)
    }
  }

  /** hot */
  recordResponse(entry: ResponseEntry): Outcome {
    try {
      return this.#group.add(this.#writer.responseLine(entry))
    } catch (error) {
      return this.#unwritable(error)
    }
  }

  hash(input: string): string {
    return this.#hash.of(input)
  }

  /** Opens the file now, to report at once what is wrong with it; it is tried again with each write. */
  check(): void {
    try {
      this.#device.check()
      this.#note(undefined)
    } catch (error) {
      this.#note(writeFailed(error))
    }
  }

  reopen(): void {
    this.#device.reopen()
    this.check()
  }

  flush(): Promise<void> {
    return this.#group.flush()
  }

  async close(): Promise<void> {
    await this.#group.flush()
    await this.#device.close()
    this.#hash.close()
  }

  /** Ours: facts that cannot be encoded. The entry counts as not recorded. */
  #unwritable(error: unknown): Outcome {
    const failure = new AuditWriteFailed('the audit entry could not be made', error)
    this.#note(failure)
    return Promise.resolve(failure)
  }

  #note(failure: AuditWriteFailed | undefined): void {
    if (failure === undefined && this.#reportedAtMs === undefined) return
    const nowMs = this.#context.clock.monotonicMs()
    if (failure === undefined) this.#reportedAtMs = undefined
    else if (this.#reportedAtMs !== undefined && nowMs - this.#reportedAtMs < REPORT_EVERY_MS)
      return
    else this.#reportedAtMs = nowMs
    this.#context.report(this.record.path, failure)
  }
}

/** A device that is refused gets every entry, and fails it: what it would have left out nobody knows. */
function prepare(
  { type, options }: AuditDeviceRecord,
  { config, clock }: OpenDeviceContext,
  salt: Uint8Array,
): { device: AuditDevice; format: EntryFormat; selection: Selection | undefined } {
  try {
    const { sink, format, selection } = parseDevice(type, options, config)
    return { device: deviceOf(sink, clock, salt), format, selection }
  } catch (error) {
    if (!(error instanceof RequestError)) throw error
    const format = { logRaw: false, hmacAccessor: true, elideListResponses: false, prefix: '' }
    const device = new RefusedDevice(new AuditWriteFailed(error.message, error))
    return { device, format, selection: undefined }
  }
}

/** Opens nothing yet. */
function deviceOf(sink: Sink, clock: Clock, salt: Uint8Array): AuditDevice {
  switch (sink.kind) {
    case 'discard':
      return new DiscardDevice()
    case 'stdout':
      return new StdoutDevice(clock)
    case 'file':
      return fileDeviceOf(sink, clock, salt)
    case 'socket':
    case 'syslog':
    case 'http':
      return openPeerDevice(sink, clock)
  }
}

/** A network's file system, or one of FUSE, is written beside the main thread: it hangs when others do. */
function fileDeviceOf(sink: FileSink, clock: Clock, salt: Uint8Array): AuditDevice {
  const key = sink.chain === true ? signingKey(salt) : undefined
  const timeoutMs = sink.timeoutMs ?? (mayHang(dirname(sink.path)) ? DEFAULT_TIMEOUT_MS : undefined)
  if (timeoutMs === undefined) return fileDevice(sink, key, clock, startSigningThread)
  const start = () => startFileThread({ sink, signingKey: key })
  return new ThreadDevice({ start, timeoutMs, clock })
}

/** What this node's configuration no longer allows: the device stays, and refuses every line. */
class RefusedDevice implements AuditDevice {
  readonly #failure: AuditWriteFailed

  constructor(failure: AuditWriteFailed) {
    this.#failure = failure
  }

  write(): Promise<void> {
    return Promise.reject(this.#failure)
  }
  check(): void {
    throw this.#failure
  }
  reopen(): void {}
  close(): void {}
}
