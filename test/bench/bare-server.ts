/** The yardstick: node:http alone, answering a small JSON to everything. Its rate is what 1.0 means in the report. */
import http from 'node:http'

const BODY = `${JSON.stringify({ request_id: 'x'.repeat(36), data: { data: { a: 'b'.repeat(200) } } })}\n`

const server = http.createServer((_request, response) => {
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    'Content-Length': Buffer.byteLength(BODY),
  })
  response.end(BODY)
})
server.listen(Number(process.argv[2]), '127.0.0.1')
