/**
 * A peer that gets each message as the body of a POST. It has a message once it answers with a status of 2xx; what else
 * it says is not read, and redirects are not followed.
 */
import { Agent, request, type ClientRequest } from 'node:http'
import { Agent as TlsAgent, request as requestTls } from 'node:https'
import { AuditWriteFailed } from '../failures.ts'
import type { HttpSink } from './http-options.ts'
import type { Peer } from './peer.ts'

/** Lines that are posted at the same time; further ones wait for a free connection. */
const MAX_CONNECTIONS = 16

export class HttpPeer implements Peer {
  readonly #sink: HttpSink
  readonly #agent: Agent
  readonly #underWay = new Set<ClientRequest>()
  connected = false

  constructor(sink: HttpSink) {
    this.#sink = sink
    const options = { keepAlive: true, maxSockets: MAX_CONNECTIONS }
    this.#agent =
      sink.uri.protocol === 'https:'
        ? new TlsAgent({ ...options, ca: sink.ca })
        : new Agent(options)
  }

  async send(messages: readonly string[]): Promise<void> {
    const posted = await Promise.allSettled(messages.map((message) => this.#post(message)))
    const failed = posted.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    this.connected = true
  }

  drop(): void {
    this.connected = false
    for (const one of this.#underWay) one.destroy()
    this.#agent.destroy()
  }

  end(): void {
    this.drop()
  }

  #post(body: string): Promise<void> {
    const { headers, uri } = this.#sink
    return new Promise((resolve, reject) => {
      const post = (uri.protocol === 'https:' ? requestTls : request)(uri, {
        method: 'POST',
        agent: this.#agent,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      })
      this.#underWay.add(post)
      post.on('error', reject)
      post.on('response', (response) => {
        response.on('error', reject)
        response.resume()
        const { statusCode = 0 } = response
        if (statusCode >= 200 && statusCode < 300) response.on('end', resolve)
        else reject(new AuditWriteFailed(`the log server answers with status ${statusCode}`))
      })
      post.on('close', () => {
        this.#underWay.delete(post)
        reject(new AuditWriteFailed('the log server has not answered'))
      })
      post.end(body)
    })
  }
}
