/** A terminal for tests: keeps what was written, answers what it was given. */
import { InputEnded, NoTerminal } from './terminal.ts'
import type { Terminal } from './terminal.ts'

interface FakeTerminal extends Terminal {
  readonly written: { out: string; err: string }
}

export function fakeTerminal({
  env = {},
  home = '/nonexistent',
  input = '',
  hiddenLine,
  isTerminal = false,
  interruption = new AbortController().signal,
}: {
  env?: Readonly<Record<string, string | undefined>>
  home?: string
  input?: string
  hiddenLine?: string
  isTerminal?: boolean
  interruption?: AbortSignal
} = {}): FakeTerminal {
  const written = { out: '', err: '' }
  return {
    env,
    home,
    stdoutIsTerminal: isTerminal,
    stderrIsTerminal: isTerminal,
    written,
    out(text) {
      written.out += typeof text === 'string' ? text : Buffer.from(text).toString('utf8')
    },
    async send(bytes) {
      written.out += Buffer.from(bytes).toString('utf8')
    },
    err(text) {
      written.err += text
    },
    readInput: () => Promise.resolve(Buffer.from(input)),
    async *input() {
      yield Buffer.from(input)
    },
    async askHidden({ text, on }) {
      written[on] += `${text}\n`
      if (hiddenLine === undefined) throw isTerminal ? new InputEnded() : new NoTerminal()
      return hiddenLine
    },
    interruption: () => interruption,
  }
}
