/** The key-value engine, version 1: one value a path. */
import type { Client } from './client.ts'
import type { JsonObject } from './json.ts'

export class Kv1 {
  readonly #client: Client
  readonly #mount: string

  constructor(client: Client, mount: string) {
    this.#client = client
    this.#mount = mount
  }

  /** @returns undefined: nothing is there */
  async read(path: string): Promise<JsonObject | undefined> {
    return (await this.#client.read(`${this.#mount}/${path}`))?.data
  }

  async write(path: string, data: JsonObject): Promise<void> {
    await this.#client.write(`${this.#mount}/${path}`, data)
  }

  /** Names below a path; folders end with a slash. */
  list(path = ''): Promise<string[]> {
    return this.#client.list(`${this.#mount}/${path}`)
  }

  delete(path: string): Promise<void> {
    return this.#client.delete(`${this.#mount}/${path}`)
  }
}
