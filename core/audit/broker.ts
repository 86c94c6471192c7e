/**
 * The audit log of one node: every request and every answer goes to all enabled devices before anything happens.
 *
 * Rule     an entry counts once one device has it; if none takes it, `AuditFailed`. No devices: nothing to do.
 * Chosen   a device with a filter gets what the filter lets through, a fallback what no other device gets. Only they count.
 * Waits    for the first device that has it: a device that stalls holds nobody up while another works.
 * Apart    each device encodes the entry for itself, under its own salt and format; facts are never changed.
 */
import { systemClock, type Clock } from '../clock.ts'
import { BadRequest } from '../errors.ts'
import { systemRandom, type Random } from '../random.ts'
import type { RequestEntry, ResponseEntry } from './facts.ts'
import { AuditFailed, type AuditWriteFailed } from './failures.ts'
import type { Outcome } from './line-group.ts'
import { OpenDevice, type OpenDeviceContext } from './open-device.ts'
import type { AuditConfig } from './options.ts'
import { EMPTY_AUDIT_TABLE, withSlash, type AuditDeviceRecord, type AuditTable } from './table.ts'

export interface AuditBrokerOptions {
  readonly config: AuditConfig
  /** Told when a device begins to fail, from time to time while it does, and (`undefined`) when it works again. */
  readonly report: (path: string, failure: AuditWriteFailed | undefined) => void
  readonly clock?: Clock
  readonly random?: Random
}

const DONE = Promise.resolve()

export class AuditBroker {
  readonly #context: OpenDeviceContext
  readonly #random: Random
  #table = EMPTY_AUDIT_TABLE
  #devices: readonly OpenDevice[] = []
  /** Whether a device gets some entries only. */
  #isSelective = false
  readonly #closing = new Set<Promise<void>>()

  constructor({ config, report, clock = systemClock, random = systemRandom }: AuditBrokerOptions) {
    this.#context = { config, report, clock }
    this.#random = random
  }

  /**
   * hot: called with each request. Opens and closes devices so that they are those of the table; what is enabled
   * already stays open. A device that cannot be opened is reported, and fails its entries until it can.
   */
  sync(table: AuditTable): void {
    if (table === this.#table) return
    this.#table = table
    const open = new Map(this.#devices.map((device) => [keyOf(device.record), device]))
    this.#devices = table.devices.map((record) => {
      const known = open.get(keyOf(record))
      open.delete(keyOf(record))
      return known ?? this.#open(record)
    })
    this.#isSelective = this.#devices.some(({ selection }) => selection !== undefined)
    for (const device of open.values()) this.#close(device)
  }

  /** hot. @throws {AuditFailed} (status 500) the request may not be executed */
  recordRequest(entry: RequestEntry): Promise<void> {
    const devices = this.#isSelective ? this.#takers(entry) : this.#devices
    const [first, second] = devices
    if (first === undefined) return DONE
    if (second === undefined) return recorded(first.recordRequest(entry), 'request')
    return recordedByOne(
      devices.map((device) => device.recordRequest(entry)),
      'request',
    )
  }

  /** hot. @throws {AuditFailed} (status 500) the answer may not be sent */
  recordResponse(entry: ResponseEntry): Promise<void> {
    const devices = this.#isSelective ? this.#takers(entry) : this.#devices
    const [first, second] = devices
    if (first === undefined) return DONE
    if (second === undefined) return recorded(first.recordResponse(entry), 'response')
    return recordedByOne(
      devices.map((device) => device.recordResponse(entry)),
      'response',
    )
  }

  /** What `input` reads as in the log of that device. @throws {BadRequest} no such device, or nothing to hash */
  hash(devicePath: string, input: string): string {
    if (input === '') throw new BadRequest('the "input" parameter is empty')
    const path = withSlash(devicePath)
    const device = this.#devices.find(({ record }) => record.path === path)
    if (device === undefined) throw new BadRequest(`unknown audit backend "${path}"`)
    return device.hash(input)
  }

  /**
   * Writes the test line of a device that is about to be enabled, and closes it again.
   *
   * @throws {BadRequest} it cannot be written; the text says why
   */
  async test(record: AuditDeviceRecord): Promise<void> {
    const device = new OpenDevice(record, { ...this.#context, report: () => undefined })
    const failure = await device.recordRequest({
      timeMs: this.#context.clock.nowMs(),
      auth: { tokenType: 'default' },
      request: {
        id: this.#random.uuid(),
        operation: 'update',
        namespace: { id: 'root', path: '' },
        path: 'sys/audit/test',
      },
    })
    await device.close()
    if (failure !== undefined)
      throw new BadRequest(`audit backend failed test message: ${failure.message}`)
  }

  /** Opens the files anew (SIGHUP); lines that wait go to the new ones. */
  reopen(): void {
    for (const device of this.#devices) device.reopen()
  }

  /** Resolves when everything recorded so far is written, by every device, or has failed. */
  async flush(): Promise<void> {
    await Promise.all(this.#devices.map((device) => device.flush()))
    await Promise.all(this.#closing)
  }

  /** Writes what waits, closes the devices and forgets their salts; entries from now on go nowhere until `sync`. */
  async close(): Promise<void> {
    this.sync({ version: 1, devices: [] })
    await this.flush()
  }

  #takers({ request }: RequestEntry): readonly OpenDevice[] {
    const taking = this.#devices.filter((device) => device.takes(request))
    if (taking.length > 0) return taking
    return this.#devices.filter(({ selection }) => selection?.fallback === true)
  }

  #open(record: AuditDeviceRecord): OpenDevice {
    const device = new OpenDevice(record, this.#context)
    device.check()
    return device
  }

  #close(device: OpenDevice): void {
    const closed = device.close().finally(() => this.#closing.delete(closed))
    this.#closing.add(closed)
  }
}

function keyOf({ uuid, path }: AuditDeviceRecord): string {
  return `${uuid} ${path}`
}

type Phase = 'request' | 'response'

async function recorded(outcome: Outcome, phase: Phase): Promise<void> {
  const failure = await outcome
  if (failure !== undefined) throw new AuditFailed(phase, [failure])
}

function recordedByOne(outcomes: readonly Outcome[], phase: Phase): Promise<void> {
  return new Promise((resolve, reject) => {
    const failures: AuditWriteFailed[] = []
    for (const outcome of outcomes) {
      void outcome.then((failure) => {
        if (failure === undefined) resolve()
        else if (failures.push(failure) === outcomes.length)
          reject(new AuditFailed(phase, failures))
      })
    }
  })
}
