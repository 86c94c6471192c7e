/** The device that takes every line and keeps none (`file_path=discard`): for measuring and for tests. */
import type { AuditDevice } from './device.ts'

const DONE = Promise.resolve()

export class DiscardDevice implements AuditDevice {
  write(): Promise<void> {
    return DONE
  }
  check(): void {}
  reopen(): void {}
  close(): void {}
}
