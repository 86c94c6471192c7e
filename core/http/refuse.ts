/**
 * What a client gets whose bytes are no HTTP request that the server takes: a status and a text, then the end of the
 * connection. As node:http does where nobody listens to `clientError`, but with a body that says what is wrong.
 */
import type { Socket } from 'node:net'

/** An error of node:http's parser or of its timeouts. */
export interface ParseError extends Error {
  readonly code?: string
  readonly rawPacket?: Buffer
  /** Bytes of the packet before the one that was refused. */
  readonly bytesParsed?: number
}

interface AnsweringSocket extends Socket {
  _httpMessage?: { readonly _headerSent?: boolean } | null
}

const REFUSALS: Readonly<Record<string, readonly [status: string, text: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'the request headers are too large; send fewer or shorter ones',
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    '413 Payload Too Large',
    'the chunk extensions of the body are too large',
  ],
  HPE_INVALID_URL: [
    '400 Bad Request',
    'the path holds bytes that must be escaped (%XX), such as those of letters beyond ASCII',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not arrive in time'],
}
const MALFORMED = ['400 Bad Request', 'this is not a valid HTTP/1.1 request'] as const

export function refuse(error: ParseError, socket: Socket): void {
  const answering: AnsweringSocket = socket
  if (socket.writable && answering._httpMessage?._headerSent !== true) {
    const [status, text] = REFUSALS[error.code ?? ''] ?? MALFORMED
    const body = `${JSON.stringify({ errors: [text] })}\n`
    socket.write(
      `HTTP/1.1 ${status}\r\nConnection: close\r\nCache-Control: no-store\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
  }
  socket.destroySoon()
}
