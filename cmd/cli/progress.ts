/** A progress bar on standard error, if that is a terminal and there is enough to wait for. */
import type { Terminal } from './terminal.ts'

/** Less is done before a person has read it. */
const MIN_BYTES = 67_108_864
const WIDTH = 40
/** Back to the start of the line, and all behind it away. */
const CLEAR = '\r\u001b[K'

export interface Progress {
  watch(parts: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
  /** Takes the bar away. */
  clear(): void
}

/** @param totalBytes how much there is to do */
export function progressBar(totalBytes: number, terminal: Terminal): Progress {
  const isShown = terminal.stderrIsTerminal && totalBytes >= MIN_BYTES
  let done = 0
  let shownPercent = -1
  const show = (): void => {
    const percent = Math.min(100, Math.floor((100 * done) / totalBytes))
    if (percent === shownPercent) return
    shownPercent = percent
    terminal.err(`${CLEAR}${barText(percent)}`)
  }
  return {
    async *watch(parts) {
      for await (const part of parts) {
        yield part
        done += part.length
        if (isShown) show()
      }
    },
    clear() {
      if (shownPercent >= 0) terminal.err(CLEAR)
    },
  }
}

function barText(percent: number): string {
  const filled = Math.round((WIDTH * percent) / 100)
  return `[${'#'.repeat(filled).padEnd(WIDTH, '.')}] ${percent} %`
}
