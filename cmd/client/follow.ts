/** An answer that comes bit by bit and may never end, such as the lines of a log. */
import type { IncomingMessage } from 'node:http'
import type { Connection } from './connection.ts'
import { ConnectionFailed } from './errors.ts'
import { collect, openExchange } from './http.ts'
import { apiError, plannedExchange } from './send.ts'
import type { ApiRequest } from './send.ts'

/**
 * Nothing is tried again: what was missed is over.
 *
 * @param interruption ends it: no more comes, and nothing is thrown
 * @returns the parts of the answer as they come
 * @throws {ApiError} an error status
 * @throws {ConnectionFailed} no answer, or it broke off
 * @throws {DryRun} the connection shows requests instead of sending them
 */
export async function follow(
  connection: Connection,
  request: ApiRequest,
  interruption: AbortSignal,
): Promise<AsyncIterable<string>> {
  const planned = plannedExchange(connection, request)
  const lost = (cause: unknown) => new ConnectionFailed(planned.method, planned.url.href, cause)
  try {
    const incoming = await openExchange(planned, interruption)
    if (incoming.statusCode !== 200) throw apiError(connection, request, await collect(incoming))
    return partsOf(incoming, interruption, lost)
  } catch (error) {
    if (interruption.aborted) return nothing()
    throw error instanceof Error && 'code' in error ? lost(error) : error
  }
}

async function* nothing(): AsyncIterable<string> {}

async function* partsOf(
  incoming: IncomingMessage,
  interruption: AbortSignal,
  lost: (cause: unknown) => Error,
): AsyncIterable<string> {
  incoming.setEncoding('utf8')
  try {
    for await (const part of incoming) yield String(part)
  } catch (cause) {
    if (!interruption.aborted) throw lost(cause)
  }
}
