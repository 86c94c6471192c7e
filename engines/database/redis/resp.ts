/**
 * Redis's protocol (RESP 2) as a client: commands are lists of texts, answers are texts, numbers, lists or errors. The five
 * commands that the engine needs are not worth a package of 12 MB.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */

/** What the server refused. */
export class RedisError extends Error {
  override readonly name = 'RedisError'
}

/** It is not this protocol, or more than anybody asked for. */
export class NotResp extends Error {
  override readonly name = 'NotResp'
}

export type Reply = string | number | null | RedisError | readonly Reply[]

/** An answer is smaller. */
const MAX_BYTES = 4 * 1024 * 1024
const MAX_DEPTH = 8
const CRLF = '\r\n'

export function encodeCommand(words: readonly string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}${CRLF}${word}${CRLF}`)
  return Buffer.from(`*${words.length}${CRLF}${parts.join('')}`)
}

/** Takes what comes in whatever pieces, and gives the answers that are whole. */
export class ReplyReader {
  #bytes: Buffer = Buffer.alloc(0)

  /** @throws {NotResp} */
  push(chunk: Buffer): Reply[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    if (this.#bytes.length > MAX_BYTES) throw new NotResp('an answer is too long')
    const replies: Reply[] = []
    for (;;) {
      const found = replyAt(this.#bytes, 0, 0)
      if (found === undefined) return replies
      replies.push(found.reply)
      this.#bytes = this.#bytes.subarray(found.end)
    }
  }
}

interface Found {
  readonly reply: Reply
  readonly end: number
}

/** @returns nothing: it is not whole yet */
function replyAt(bytes: Buffer, at: number, depth: number): Found | undefined {
  if (depth > MAX_DEPTH) throw new NotResp('an answer is nested too deep')
  const lineEnd = bytes.indexOf(CRLF, at)
  if (lineEnd < 0) return undefined
  const kind = String.fromCharCode(bytes[at] ?? 0)
  const line = bytes.toString('utf8', at + 1, lineEnd)
  const end = lineEnd + CRLF.length
  switch (kind) {
    case '+':
      return { reply: line, end }
    case '-':
      return { reply: new RedisError(line), end }
    case ':':
      return { reply: numberOf(line), end }
    case '$':
      return textAt(bytes, end, numberOf(line))
    case '*':
      return listAt(bytes, end, numberOf(line), depth)
    default:
      throw new NotResp('the server does not speak the protocol of Redis')
  }
}

function numberOf(line: string): number {
  if (/^-?\d{1,15}$/.test(line)) return Number(line)
  throw new NotResp('a number of the answer is none')
}

function textAt(bytes: Buffer, from: number, length: number): Found | undefined {
  if (length < 0) return { reply: null, end: from }
  if (length > MAX_BYTES) throw new NotResp('an answer is too long')
  const end = from + length + CRLF.length
  if (bytes.length < end) return undefined
  return { reply: bytes.toString('utf8', from, from + length), end }
}

function listAt(bytes: Buffer, from: number, count: number, depth: number): Found | undefined {
  if (count < 0) return { reply: null, end: from }
  if (count > MAX_BYTES) throw new NotResp('an answer is too long')
  const items: Reply[] = []
  let end = from
  for (let i = 0; i < count; i++) {
    const found = replyAt(bytes, end, depth + 1)
    if (found === undefined) return undefined
    items.push(found.reply)
    end = found.end
  }
  return { reply: items, end }
}
