/**
 * What an audit device is: a place that takes lines. Entries are made (`entry.ts`) and gathered (`line-group.ts`)
 * before it; it only writes.
 */
export interface AuditDevice {
  /**
   * Resolves when all of `lines` (whole lines) is handed to the system. One call at a time.
   *
   * @throws {AuditWriteFailed} not all is written; a part may be. The next call starts at the beginning of a line.
   */
  write(lines: string): Promise<void>
  /** Opens what is to be opened, writes nothing. @throws {AuditWriteFailed} a write would fail */
  check(): void
  /** Opens anew at the next write: after the file was moved away (SIGHUP). */
  reopen(): void
  /** What it writes at its end may take until the promise resolves. */
  close(): Promise<void> | void
}
