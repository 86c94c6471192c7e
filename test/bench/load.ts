/**
 * Load over raw sockets: each connection sends a request, waits for the whole answer, and sends the next. The client
 * must cost much less than the server, so it parses no more than the length of the answer.
 */
import net from 'node:net'

/** What a connection does next. */
export interface Script {
  /** The bytes of the next request of this connection. `answer`: the body of the one before, if `keepsAnswers`. */
  next(answer: string): Buffer
  readonly keepsAnswers: boolean
  /** Requests that make one operation, where more than one is needed. */
  readonly requestsPerOperation: number
}

export interface LoadOptions {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** Made for each connection. */
  readonly script: (connection: number) => Script
}

export interface LoadResult {
  /** Operations a second. */
  readonly rate: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly operations: number
  /** Answers that were not 2xx. */
  readonly failures: number
}

const HEADER_END = Buffer.from('\r\n\r\n')
const LENGTH = /content-length: (\d+)/i

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = []
  const counts = { failures: 0 }
  const startedAt = performance.now()
  const endAt = startedAt + options.seconds * 1000
  await Promise.all(
    Array.from({ length: options.connections }, (_, index) =>
      runConnection(options, options.script(index), endAt, latencies, counts),
    ),
  )
  const seconds = (performance.now() - startedAt) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0
  return {
    rate: latencies.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    operations: latencies.length,
    failures: counts.failures,
  }
}

function runConnection(
  { port }: LoadOptions,
  script: Script,
  endAt: number,
  latencies: number[],
  counts: { failures: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    let waiting: Buffer = Buffer.alloc(0)
    let startedAt = 0
    let inOperation = 0
    const send = (answer: string): void => {
      if (inOperation === 0) startedAt = performance.now()
      socket.write(script.next(answer))
    }
    socket.once('connect', () => send(''))
    socket.once('error', reject)
    socket.on('data', (chunk: Buffer) => {
      waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk])
      const end = answerEnd(waiting)
      if (end === undefined) return
      if (waiting[9] !== 0x32) counts.failures++
      const answer = script.keepsAnswers ? waiting.toString('utf8', end.head, end.all) : ''
      waiting = waiting.subarray(end.all)
      inOperation = (inOperation + 1) % script.requestsPerOperation
      const now = performance.now()
      if (inOperation === 0) latencies.push(now - startedAt)
      if (now < endAt || inOperation !== 0) return send(answer)
      socket.end()
      resolve()
    })
  })
}

function answerEnd(bytes: Buffer): { head: number; all: number } | undefined {
  const at = bytes.indexOf(HEADER_END)
  if (at < 0) return undefined
  const head = at + HEADER_END.length
  const length = Number(LENGTH.exec(bytes.toString('latin1', 0, at))?.[1] ?? 0)
  return bytes.length >= head + length ? { head, all: head + length } : undefined
}
