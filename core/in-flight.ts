/** The requests that are being answered now, for who wonders what a node is busy with. */
import { rfc3339 } from './clock.ts'
import type { HttpRequest } from './http/message.ts'
import type { JsonObject } from './json.ts'
import { Slots } from './slots.ts'

interface Request {
  readonly id: string
  readonly http: HttpRequest
  readonly startedAtMs: number
}

export class InFlight {
  readonly #requests = new Slots<Request>()

  /** hot. @returns what `end` is to be given */
  begin(id: string, http: HttpRequest, startedAtMs: number): number {
    return this.#requests.add({ id, http, startedAtMs })
  }

  /** hot. */
  end(slot: number): void {
    this.#requests.remove(slot)
  }

  get count(): number {
    return this.#requests.size
  }

  /** By id of the request. */
  list(): JsonObject {
    return Object.fromEntries(
      Array.from(this.#requests, ({ id, http, startedAtMs }) => [
        id,
        {
          start_time: rfc3339(startedAtMs),
          client_remote_address: http.client.address,
          request_path: http.path,
          request_method: http.method,
          client_id: '',
        },
      ]),
    )
  }
}
