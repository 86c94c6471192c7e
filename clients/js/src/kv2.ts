/** The key-value engine, version 2: each path keeps some versions of its value. */
import { numberIn, objectIn, textIn } from './answer.ts'
import type { Client } from './client.ts'
import { isObject, type JsonObject } from './json.ts'

export interface Version {
  readonly version: number
  /** RFC 3339 */
  readonly createdTime: string
  /** RFC 3339; empty: it is not deleted, and will not be by time. */
  readonly deletionTime: string
  readonly destroyed: boolean
  readonly customMetadata: JsonObject
}

export interface Value extends Version {
  readonly data: JsonObject
}

/** What is kept beside the versions of a path. */
export interface Metadata {
  readonly currentVersion: number
  readonly oldestVersion: number
  readonly maxVersions: number
  readonly casRequired: boolean
  /** A Go duration; `0s`: never. */
  readonly deleteVersionAfter: string
  readonly customMetadata: JsonObject
  readonly versions: ReadonlyMap<number, Omit<Version, 'version' | 'customMetadata'>>
}

export interface MetadataSettings {
  readonly maxVersions?: number
  readonly casRequired?: boolean
  readonly deleteVersionAfter?: string
  readonly customMetadata?: Readonly<Record<string, string>>
}

interface Cas {
  /** The version that must be the current one; 0: there must be none. A mismatch is a `ResponseError` 400. */
  readonly cas?: number
}

export class Kv2 {
  readonly #client: Client
  readonly #mount: string

  constructor(client: Client, mount: string) {
    this.#client = client
    this.#mount = mount
  }

  /** @returns undefined: nothing is there, or that version is deleted or destroyed */
  async read(
    path: string,
    { version }: { readonly version?: number } = {},
  ): Promise<Value | undefined> {
    const query: Record<string, string> = version === undefined ? {} : { version: String(version) }
    const answer = await this.#client.read(this.#at('data', path), query)
    if (answer === undefined) return undefined
    return {
      data: objectIn(answer.data, 'data'),
      ...versionOf(objectIn(answer.data, 'metadata')),
    }
  }

  /** Makes a new version. */
  write(path: string, data: JsonObject, { cas }: Cas = {}): Promise<Version> {
    return this.#change('POST', path, data, cas)
  }

  /** Makes a new version with some members changed; `null` takes one away. */
  patch(path: string, data: JsonObject, { cas }: Cas = {}): Promise<Version> {
    return this.#change('PATCH', path, data, cas)
  }

  /** Names below a path; folders end with a slash. */
  list(path = ''): Promise<string[]> {
    return this.#client.list(this.#at('metadata', path))
  }

  /** Deletes versions, by default the current one, so that they can be brought back. */
  async delete(path: string, versions?: readonly number[]): Promise<void> {
    if (versions === undefined) await this.#client.delete(this.#at('data', path))
    else await this.#client.write(this.#at('delete', path), { versions })
  }

  async undelete(path: string, versions: readonly number[]): Promise<void> {
    await this.#client.write(this.#at('undelete', path), { versions })
  }

  /** Removes what versions hold, for good. */
  async destroy(path: string, versions: readonly number[]): Promise<void> {
    await this.#client.write(this.#at('destroy', path), { versions })
  }

  /** @returns undefined: nothing is there */
  async readMetadata(path: string): Promise<Metadata | undefined> {
    const answer = await this.#client.read(this.#at('metadata', path))
    return answer && metadataOf(answer.data)
  }

  async writeMetadata(path: string, settings: MetadataSettings): Promise<void> {
    await this.#client.write(this.#at('metadata', path), {
      max_versions: settings.maxVersions,
      cas_required: settings.casRequired,
      delete_version_after: settings.deleteVersionAfter,
      custom_metadata: settings.customMetadata,
    })
  }

  /** Removes a path with all its versions, for good. */
  deleteMetadata(path: string): Promise<void> {
    return this.#client.delete(this.#at('metadata', path))
  }

  #at(kind: string, path: string): string {
    return `${this.#mount}/${kind}/${path}`
  }

  async #change(
    method: 'POST' | 'PATCH',
    path: string,
    data: JsonObject,
    cas: number | undefined,
  ): Promise<Version> {
    const options = cas === undefined ? undefined : { cas }
    const body = { data, options }
    const answer = await this.#client.ask({ method, path: this.#at('data', path), body })
    return versionOf(answer.data)
  }
}

function versionOf(data: JsonObject): Version {
  return { version: numberIn(data, 'version'), customMetadata: customOf(data), ...lifeOf(data) }
}

function lifeOf(data: JsonObject) {
  return {
    createdTime: textIn(data, 'created_time'),
    deletionTime: textIn(data, 'deletion_time'),
    destroyed: data['destroyed'] === true,
  }
}

function customOf(data: JsonObject): JsonObject {
  return isObject(data['custom_metadata']) ? data['custom_metadata'] : {}
}

function metadataOf(data: JsonObject): Metadata {
  const versions = objectIn(data, 'versions')
  return {
    currentVersion: numberIn(data, 'current_version'),
    oldestVersion: numberIn(data, 'oldest_version'),
    maxVersions: numberIn(data, 'max_versions'),
    casRequired: data['cas_required'] === true,
    deleteVersionAfter: textIn(data, 'delete_version_after'),
    customMetadata: customOf(data),
    versions: new Map(
      Object.keys(versions).map((version) => [
        Number(version),
        lifeOf(objectIn(versions, version)),
      ]),
    ),
  }
}
