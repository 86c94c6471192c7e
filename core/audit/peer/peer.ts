/** One who takes messages. */
export interface Peer {
  /** Whether there is a connection already, which may turn out to be dead. */
  readonly connected: boolean
  /**
   * Connects if need be, and resolves when the system has all of the messages. One call at a time.
   *
   * @throws what node:net, node:tls or node:dgram gave, or AuditWriteFailed
   */
  send(messages: readonly string[]): Promise<void>
  /** Ends the connection at once; a `send` under way fails. The next one connects anew. */
  drop(): void
  /** Ends the connection after what was sent. */
  end(): void
}
