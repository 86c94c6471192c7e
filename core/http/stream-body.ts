/**
 * A body that is made while it is sent, such as the lines of a log: at the reader's pace, until the source ends, the
 * client is gone, or the listener stops.
 */
import type { ServerResponse } from 'node:http'
import type { Clock } from '../clock.ts'
import type { Streamed } from '../plugin/response.ts'

/** How soon a reader that went without a word is looked for, where there is nothing to send. */
const KEEP_ALIVE_MS = 60_000
/** A reader that takes nothing for this long is cut off; between two parts of a source any time may pass. */
const STALLED_MS = 30_000

/**
 * Sends each part as it comes; the headers are sent at once, though the first part may be far off.
 *
 * @param outgoing its status and headers are written already
 * @throws what the source throws; the connection is closed then, for the answer is not whole
 */
export async function sendStream(
  outgoing: ServerResponse,
  source: Streamed,
  clock: Clock,
): Promise<void> {
  const parts = source[Symbol.asyncIterator]()
  outgoing.setTimeout(0)
  outgoing.socket?.setKeepAlive(true, KEEP_ALIVE_MS)
  outgoing.flushHeaders()
  outgoing.once('close', () => void parts.return?.())
  try {
    for (let part = await parts.next(); part.done !== true; part = await parts.next()) {
      if (outgoing.destroyed) return
      if (!outgoing.write(part.value)) await taken(outgoing, clock)
    }
    outgoing.end()
  } catch (error) {
    outgoing.destroy()
    throw error
  }
}

/** Once the reader took what was written, or is gone. */
function taken(outgoing: ServerResponse, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      outgoing.off('drain', done)
      outgoing.off('close', done)
      resolve()
    }
    const cancel = clock.after(STALLED_MS, () => outgoing.destroy())
    outgoing.once('drain', done)
    outgoing.once('close', done)
  })
}
