/**
 * Facts become the line of one device: JSON with the keys in the order that Vault writes, values hashed under the
 * device's salt. What is empty is left out, as there.
 *
 * hot: two lines a request and device. Text is put together directly, and kept with each facts object: the response
 * entry takes `auth` and `request` over from the request entry. Nothing that is kept is shared between devices, but for
 * mounts, of which nothing is hashed.
 */
import { rfc3339 } from '../clock.ts'
import { flat, quote } from '../json.ts'
import { dataText, type Members } from './data.ts'
import type { Exclusion } from './exclusion.ts'
import type {
  AuthFacts,
  MountFacts,
  PolicyResults,
  RequestEntry,
  RequestFacts,
  ResponseEntry,
  ResponseFacts,
  WrapFacts,
} from './facts.ts'
import { jsonxOf } from './jsonx.ts'
import { quoteList, quoteMap } from './quote.ts'
import type { SaltedHash } from './salted-hash.ts'

/** The options of a device that decide what its lines show. */
export interface EntryFormat {
  /** Nothing is hashed, but for the headers that are to be. */
  readonly logRaw: boolean
  readonly hmacAccessor: boolean
  readonly elideListResponses: boolean
  /** Stands before each line. */
  readonly prefix: string
  /** What is left out; absent: nothing. */
  readonly exclude?: Exclusion
  /** The line is JSONx instead of JSON. */
  readonly jsonx?: boolean
}

/** Headers that hold credentials are hashed whatever the configuration says. */
const ALWAYS_HASHED: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-vault-token',
])

const LISTINGS: ReadonlySet<string> = new Set(['list', 'scan'])

export class EntryWriter {
  readonly #hash: SaltedHash
  readonly #format: EntryFormat
  readonly #frozenTexts = new WeakMap<object, string>()

  constructor(hash: SaltedHash, format: EntryFormat) {
    this.#hash = hash
    this.#format = format
  }

  /** @returns one line with its newline */
  requestLine(entry: RequestEntry): string {
    return this.#line(`${this.#opening(entry, 'request')}${errorMember(entry)}}`)
  }

  /** @returns one line with its newline */
  responseLine(entry: ResponseEntry): string {
    const response = this.#response(entry.response, entry.request.operation)
    return this.#line(
      `${this.#opening(entry, 'response')},"response":${response}${errorMember(entry)}}`,
    )
  }

  #line(json: string): string {
    const { prefix, exclude, jsonx } = this.#format
    const text = exclude === undefined ? json : exclude(json)
    return `${prefix}${jsonx === true ? jsonxOf(text) : text}\n`
  }

  #opening(entry: RequestEntry, type: string): string {
    const auth = this.#auth(entry.auth)
    const request = this.#request(entry.request)
    return `{"time":"${timeText(entry.timeMs)}","type":"${type}","auth":${auth},"request":${request}`
  }

  #auth(auth: AuthFacts): string {
    return this.#encoded(auth) ?? this.#keep(auth, this.#authText(auth, 'used'))
  }

  /** Each member before `token_type`, which is always there, ends with a comma; each after it begins with one. */
  #authText(auth: AuthFacts, credential: 'used' | 'granted'): string {
    let text = '{'
    if (auth.clientToken) text += `"client_token":${this.#token(auth.clientToken, credential)},`
    if (auth.accessor) text += `"accessor":${this.#accessor(auth.accessor, credential)},`
    if (auth.displayName) text += `"display_name":${quote(auth.displayName)},`
    if (auth.policies?.length) text += `"policies":${quoteList(auth.policies)},`
    if (auth.tokenPolicies?.length) text += `"token_policies":${quoteList(auth.tokenPolicies)},`
    if (auth.identityPolicies?.length) {
      text += `"identity_policies":${quoteList(auth.identityPolicies)},`
    }
    if (auth.noDefaultPolicy) text += '"no_default_policy":true,'
    if (auth.policyResults) text += `"policy_results":${policyResultsText(auth.policyResults)},`
    if (auth.metadata && Object.keys(auth.metadata).length > 0) {
      text += `"metadata":${quoteMap(auth.metadata)},`
    }
    if (auth.numUses) text += `"num_uses":${auth.numUses},`
    if (auth.remainingUses) text += `"remaining_uses":${auth.remainingUses},`
    if (auth.entityId) text += `"entity_id":${quote(auth.entityId)},`
    if (auth.entityCreated) text += '"entity_created":true,'
    text += `"token_type":"${auth.tokenType}"`
    if (auth.tokenTtlSeconds) text += `,"token_ttl":${auth.tokenTtlSeconds}`
    if (auth.tokenIssueTimeMs) text += `,"token_issue_time":"${rfc3339(auth.tokenIssueTimeMs)}"`
    return `${text}}`
  }

  #request(request: RequestFacts): string {
    return this.#encoded(request) ?? this.#keep(request, this.#requestText(request))
  }

  #encoded(facts: AuthFacts | RequestFacts): string | undefined {
    for (let { encoded } = facts; encoded !== undefined; encoded = encoded.next) {
      if (encoded.by === this) return encoded.text
    }
    return undefined
  }

  #keep(facts: AuthFacts | RequestFacts, made: string): string {
    const text = flat(made)
    facts.encoded = { by: this, text, next: facts.encoded }
    return text
  }

  #requestText(request: RequestFacts): string {
    const { namespace, mount } = request
    let text = `{"id":${quote(request.id)}`
    if (request.clientId) text += `,"client_id":${quote(request.clientId)}`
    text += `,"operation":${quote(request.operation)}`
    if (mount) text += mountTexts(mount).request
    if (request.clientToken) text += `,"client_token":${this.#token(request.clientToken)}`
    if (request.clientTokenAccessor) {
      text += `,"client_token_accessor":${this.#accessor(request.clientTokenAccessor)}`
    }
    text += `,"namespace":{"id":${quote(namespace.id)}`
    text += namespace.path === '' ? '}' : `,"path":${quote(namespace.path)}}`
    text += `,"path":${quote(request.path)}`
    if (request.data) {
      const data = this.#dataText(request.data, mount?.clearRequestKeys, false, request.clearFields)
      if (data !== '{}') text += `,"data":${data}`
    }
    if (request.remoteAddress) text += `,"remote_address":${quote(request.remoteAddress)}`
    if (request.remotePort) text += `,"remote_port":${request.remotePort}`
    if (request.wrapTtlSeconds) text += `,"wrap_ttl":${request.wrapTtlSeconds}`
    text += this.#headersMember(request)
    if (request.clientCertificateSerialNumber) {
      text += `,"client_certificate_serial_number":${quote(request.clientCertificateSerialNumber)}`
    }
    return `${text}}`
  }

  #headersMember({ headers, auditedHeaders }: RequestFacts): string {
    if (headers === undefined || auditedHeaders === undefined) return ''
    const members: string[] = []
    for (const [name, { hmac }] of auditedHeaders) {
      // A name may be that of a member which every object has.
      const value = Object.hasOwn(headers, name) ? headers[name] : undefined
      if (value === undefined) continue
      const hashed = hmac || ALWAYS_HASHED.has(name)
      const values = typeof value === 'string' ? [value] : value
      members.push(
        `${quote(name)}:${quoteList(hashed ? values.map((one) => this.#hash.of(one)) : values)}`,
      )
    }
    return members.length === 0 ? '' : `,"headers":{${members.sort().join(',')}}`
  }

  #response(response: ResponseFacts, operation: string): string {
    let text = ''
    if (response.auth) text = `"auth":${this.#authText(response.auth, 'granted')}`
    if (response.mount) text += comma(text) + mountTexts(response.mount).response
    if (response.leaseId) text += `${comma(text)}"secret":{"lease_id":${quote(response.leaseId)}}`
    if (response.data) {
      const elide = this.#format.elideListResponses && LISTINGS.has(operation)
      const data = this.#dataText(response.data, response.mount?.clearResponseKeys, elide)
      if (data !== '{}') text += `${comma(text)}"data":${data}`
    }
    if (response.warnings?.length)
      text += `${comma(text)}"warnings":${quoteList(response.warnings)}`
    if (response.redirect) text += `${comma(text)}"redirect":${quote(response.redirect)}`
    if (response.wrapInfo) text += `${comma(text)}"wrap_info":${this.#wrapText(response.wrapInfo)}`
    if (response.headers && Object.keys(response.headers).length > 0) {
      text += `${comma(text)}"headers":${responseHeadersText(response.headers)}`
    }
    return `{${text}}`
  }

  #dataText(
    data: Members,
    clearKeys: ReadonlySet<string> | undefined,
    elide: boolean,
    clearObjects?: ReadonlySet<string>,
  ): string {
    const hash = this.#format.logRaw ? undefined : this.#hash
    return dataText(data, { hash, clearKeys, clearObjects, elide, ofFrozen: this.#frozenTexts })
  }

  #wrapText(wrap: WrapFacts): string {
    let text = `{"ttl":${wrap.ttlSeconds},"token":${this.#token(wrap.token)},"accessor":${this.#accessor(wrap.accessor)}`
    text += `,"creation_time":"${rfc3339(wrap.creationTimeMs)}","creation_path":${quote(wrap.creationPath)}`
    if (wrap.wrappedAccessor) text += `,"wrapped_accessor":${this.#accessor(wrap.wrappedAccessor)}`
    return `${text}}`
  }

  #token(token: string, credential: 'used' | 'granted' = 'used'): string {
    return this.#format.logRaw ? quote(token) : this.#hashed(token, credential)
  }

  #accessor(accessor: string, credential: 'used' | 'granted' = 'used'): string {
    const clear = this.#format.logRaw || !this.#format.hmacAccessor
    return clear ? quote(accessor) : this.#hashed(accessor, credential)
  }

  /** The hash of a credential in use is kept; one that is granted may never be seen again. */
  #hashed(text: string, credential: 'used' | 'granted'): string {
    const hash = this.#hash
    return `"${credential === 'used' ? hash.ofCredential(text) : hash.of(text)}"`
  }
}

function comma(before: string): string {
  return before === '' ? '' : ','
}

function errorMember({ error }: RequestEntry): string {
  return error ? `,"error":${quote(error)}` : ''
}

function policyResultsText({ allowed, grantingPolicies }: PolicyResults): string {
  if (!grantingPolicies?.length) return `{"allowed":${allowed}}`
  let list = ''
  for (const { name, namespaceId, namespacePath, type } of grantingPolicies) {
    const path = namespacePath ? `,"namespace_path":${quote(namespacePath)}` : ''
    list += `,{"name":${quote(name)},"namespace_id":${quote(namespaceId)}${path},"type":${quote(type)}}`
  }
  return `{"allowed":${allowed},"granting_policies":[${list.slice(1)}]}`
}

function responseHeadersText(headers: Readonly<Record<string, string>>): string {
  const members = Object.entries(headers).map(([name, value]) => `${quote(name)}:[${quote(value)}]`)
  return `{${members.sort().join(',')}}`
}

interface MountTexts {
  readonly request: string
  readonly response: string
}

const textsOfMounts = new WeakMap<MountFacts, MountTexts>()

/** The two entries name the version differently; in a request they follow other members. */
function mountTexts(mount: MountFacts): MountTexts {
  let texts = textsOfMounts.get(mount)
  if (texts === undefined) {
    texts = {
      request: `,${mountText(mount, 'mount_running_version')}`,
      response: mountText(mount, 'mount_running_plugin_version'),
    }
    textsOfMounts.set(mount, texts)
  }
  return texts
}

function mountText(mount: MountFacts, versionKey: string): string {
  let text = `"mount_point":${quote(mount.path)}`
  if (mount.type) text += `,"mount_type":${quote(mount.type)}`
  if (mount.accessor) text += `,"mount_accessor":${quote(mount.accessor)}`
  if (mount.runningVersion) text += `,"${versionKey}":${quote(mount.runningVersion)}`
  if (mount.class) text += `,"mount_class":"${mount.class}"`
  return text
}

let lastTime = { ms: -1, text: '' }

/** hot: many entries fall into one millisecond. */
function timeText(ms: number): string {
  if (lastTime.ms !== ms) lastTime = { ms, text: rfc3339(ms) }
  return lastTime.text
}
