/**
 * What a command may touch of the process that runs it: its streams, its environment, its user's folder. A test
 * brings its own.
 */
import { homedir } from 'node:os'
import { buffer } from 'node:stream/consumers'

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The user's folder, which holds the token file. */
  readonly home: string
  readonly stdoutIsTerminal: boolean
  readonly stderrIsTerminal: boolean
  /** Writes to standard output as it is; adds no newline. */
  out(text: string | Uint8Array): void
  /** Writes to standard output, and waits until it has gone there: for what is larger than memory. */
  send(bytes: Uint8Array): Promise<void>
  /** Writes to standard error as it is; adds no newline. */
  err(text: string): void
  /** All of standard input, as it came. */
  readInput(): Promise<Buffer>
  /** Standard input bit by bit, however long it is. */
  input(): AsyncIterable<Uint8Array>
  /**
   * Asks for a line that is not shown while it is typed; without a terminal, takes the first line of standard input.
   *
   * @throws {NoTerminal} there is neither a terminal nor a line
   * @throws {InputEnded} the terminal's input ended, and nothing was typed
   * @throws {Interrupted} Ctrl-C
   */
  askHidden(question: Question): Promise<string>
  /** Of a command that runs until it is told to end: aborts at the first Ctrl-C or SIGTERM; a second one kills it. */
  interruption(): AbortSignal
}

interface Question {
  readonly text: string
  /** Where it is asked. */
  readonly on: 'out' | 'err'
}

/** Standard input is no terminal, and nothing came from it. */
export class NoTerminal extends Error {
  override readonly name = 'NoTerminal'
  constructor() {
    super('file descriptor 0 is not a terminal')
  }
}

/** The terminal's input ended at a prompt before anything was typed: Ctrl-D, or a pipe behind the terminal that is empty. */
export class InputEnded extends Error {
  override readonly name = 'InputEnded'
  constructor() {
    super('the input ended')
  }
}

/** Ctrl-C at a prompt. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  constructor() {
    super('interrupted')
  }
}

export function processTerminal(): Terminal {
  return {
    env: process.env,
    home: homedir(),
    stdoutIsTerminal: process.stdout.isTTY,
    stderrIsTerminal: process.stderr.isTTY,
    out: (text) => void process.stdout.write(text),
    send: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()))
      }),
    err: (text) => void process.stderr.write(text),
    readInput: () => buffer(process.stdin),
    input: () => process.stdin,
    async askHidden(question) {
      const write = (text: string): void => void process[STREAMS[question.on]].write(text)
      const ask = (): void => write(question.text)
      try {
        return await (process.stdin.isTTY ? readKeys(ask) : readFirstLine(ask))
      } finally {
        write('\n')
      }
    },
    interruption() {
      const controller = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => controller.abort())
      return controller.signal
    },
  }
}

const STREAMS = { out: 'stdout', err: 'stderr' } as const

async function readFirstLine(ask: () => void): Promise<string> {
  ask()
  const text = (await buffer(process.stdin)).toString('utf8')
  if (text === '') throw new NoTerminal()
  return text.split(/\r?\n/, 1)[0] ?? ''
}

/**
 * Reads keys with the terminal's echo off; the terminal is put back however this ends. The question comes after the
 * echo is off: what somebody pastes the moment they see it must not show.
 */
function readKeys(ask: () => void): Promise<string> {
  const { stdin } = process
  return new Promise<string>((resolve, reject) => {
    const line = hiddenLine()
    const finish = (settle: () => void): void => {
      stdin.off('data', onData)
      stdin.off('end', onEnd)
      stdin.setRawMode(false)
      stdin.pause()
      settle()
    }
    const onData = (chunk: Buffer): void => {
      const end = line.type(chunk.toString('utf8'))
      if (end === 'done') finish(() => resolve(line.text()))
      if (end === 'interrupted') finish(() => reject(new Interrupted()))
      if (end === 'ended') finish(() => reject(new InputEnded()))
    }
    const onEnd = (): void => finish(() => reject(new InputEnded()))
    stdin.setRawMode(true)
    stdin.on('data', onData)
    stdin.on('end', onEnd)
    stdin.resume()
    ask()
  })
}

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
/** What a Ctrl-D becomes that came before the terminal's own line editing was off. */
const EARLY_CTRL_D = '\u0000'
const CTRL_U = '\u0015'
const BACKSPACES = ['\b', '\u007f']

/** The line editor of a hidden prompt: what is typed (or pasted, many characters at once) until Enter. */
export function hiddenLine(): {
  /** `ended`: with nothing typed. */
  type(keys: string): 'more' | 'done' | 'interrupted' | 'ended'
  text(): string
} {
  let typed: string[] = []
  return {
    type(keys) {
      for (const key of keys) {
        if (key === '\r' || key === '\n') return 'done'
        if (key === CTRL_D || key === EARLY_CTRL_D) return typed.length > 0 ? 'done' : 'ended'
        if (key === CTRL_C) return 'interrupted'
        if (key === CTRL_U) typed = []
        else if (BACKSPACES.includes(key)) typed.pop()
        else typed.push(key)
      }
      return 'more'
    },
    text: () => typed.join(''),
  }
}
