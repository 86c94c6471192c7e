/**
 * What the audit devices write: the recorded requests are sent one by one, the lines that each of them made are read
 * from the devices' files and compared key by key, in order.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isJsonObject, parseJson, type Json, type JsonObject } from '../../../core/json.ts'
import { startServer, type RunningServer } from '../../support/server-process.ts'
import { Expectations, type CaseResult } from '../expectations.ts'
import { valueAt } from './golden-runner.ts'
import { differences } from './match.ts'
import { MissingVariable, substitute } from './placeholders.ts'
import { number, objects, optionalString, string, strings } from './recording.ts'

interface AuditedRequest {
  readonly name: string
  readonly request: JsonObject
  readonly status: number
  readonly lines: readonly JsonObject[]
  readonly rawLines: readonly JsonObject[]
  /** Which place of which line holds the hash of which input. */
  readonly hashed: readonly { line: number; at: string; input: string }[]
}

/** Later requests use what these answers gave. */
const SAVED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'create a token': { t: 'auth.client_token', ta: 'auth.accessor' },
  'wrapped response': { w: 'wrap_info.token' },
  'leased secret': { lease: 'lease_id' },
}

const expectations = new Expectations(join(import.meta.dirname, 'audit-expectations.json'))
const recorded = readRecording()

function readRecording(): readonly AuditedRequest[] {
  const lines = readFileSync(join(import.meta.dirname, 'audit.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
  return objects(lines.map((line) => parseJson(line))).map((entry) => ({
    name: string(entry, 'name'),
    request: isJsonObject(entry['request']) ? entry['request'] : {},
    status: number(entry, 'status'),
    lines: objects(entry['lines']),
    rawLines: objects(entry['lines_log_raw'] ?? []),
    hashed: objects(entry['hashed']).map((hash) => ({
      line: number(hash, 'line'),
      at: string(hash, 'at'),
      input: string(hash, 'input'),
    })),
  }))
}

/** How long a device may be behind the answer. */
const MAX_TRIES = 50
const TRY_AGAIN_MS = 10

describe('recorded audit lines', () => {
  let server: RunningServer
  let played: AuditReplay

  beforeAll(async () => {
    server = await startServer({ logLevel: 'error' })
    mkdirSync(join(server.dir, 'audit'))
    played = new AuditReplay(server)
  })
  afterAll(() => server.stop())

  for (const entry of recorded) {
    test(`${entry.name}: the devices write the recorded lines`, async () => {
      const failures = await played.play(entry)
      const title = `${string(entry.request, 'method')} ${string(entry.request, 'path')}`
      const wrong = expectations.check([
        { id: `audit/${entry.name}`, title, failures } satisfies CaseResult,
      ])
      expect(wrong, wrong.join('\n')).toEqual([])
    })
  }

  afterAll(() => {
    const wrong = expectations.finish(recorded.map(({ name }) => `audit/${name}`))
    expect(wrong, wrong.join('\n')).toEqual([])
  })
})

class AuditReplay {
  readonly #server: RunningServer
  readonly #variables: Map<string, string>
  readonly #read = new Map<string, number>()

  constructor(server: RunningServer) {
    this.#server = server
    this.#variables = new Map([
      ['root', server.rootToken],
      ['dir', join(server.dir, 'audit')],
    ])
  }

  async play(entry: AuditedRequest): Promise<string[]> {
    try {
      const status = await this.#send(entry)
      await this.#settled('audit.log', entry.lines.length)
      await this.#settled('raw.log', entry.rawLines.length)
      const lines = this.#newLines('audit.log')
      const found = [
        ...(status === entry.status ? [] : [`status: recorded ${entry.status}, got ${status}`]),
        ...this.#compare('lines', entry.lines, lines),
        ...this.#compare('lines_log_raw', entry.rawLines, this.#newLines('raw.log')),
      ]
      return found.length > 0 ? found : await this.#hashes(entry, lines)
    } catch (error) {
      if (error instanceof MissingVariable)
        return [`an earlier request gave no \${${error.variable}}`]
      throw error
    }
  }

  async #send({ name, request, hashed }: AuditedRequest): Promise<number> {
    const token =
      request['token'] === null ? undefined : (optionalString(request, 'token') ?? '${root}')
    const body =
      request['body'] === undefined
        ? undefined
        : this.#fill(request['body'], 'request.data', hashed)
    const response = await this.#server.api(
      string(request, 'method'),
      string(request, 'path').slice('/v1/'.length),
      {
        headers: strings(request['headers']),
        ...(token === undefined ? {} : { token: substitute(token, this.#variables) }),
        ...(body === undefined ? {} : { body }),
      },
    )
    for (const [variable, at] of Object.entries(SAVED[name] ?? {})) {
      const value = valueAt(response.json, at)
      if (typeof value === 'string') this.#variables.set(variable, value)
    }
    return response.status
  }

  /** A `<password>` in a recorded request is the input that was hashed at its place in the line. */
  #fill(value: Json, at: string, hashed: AuditedRequest['hashed']): Json {
    if (value === '<password>') return hashed.find((hash) => hash.at === at)?.input ?? value
    if (typeof value === 'string')
      return substitute(value.replace('<dir>', '${dir}'), this.#variables)
    if (Array.isArray(value)) {
      const items: readonly Json[] = value
      return items.map((item, i) => this.#fill(item, `${at}.${i}`, hashed))
    }
    if (!isJsonObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, this.#fill(item, `${at}.${key}`, hashed)]),
    )
  }

  /** An answer waits for the first device that has its entry; another may be a moment later. */
  async #settled(file: string, wanted: number): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (this.#allLines(file).length - (this.#read.get(file) ?? 0) >= wanted) return
      await pause(TRY_AGAIN_MS)
    }
  }

  #allLines(file: string): readonly string[] {
    let text = ''
    try {
      text = readFileSync(join(this.#server.dir, 'audit', file), 'utf8')
    } catch {
      // The device was not made yet.
    }
    return text.split('\n').filter((line) => line !== '')
  }

  #newLines(file: string): readonly Json[] {
    const lines = this.#allLines(file)
    const fresh = lines.slice(this.#read.get(file) ?? 0)
    this.#read.set(file, lines.length)
    return fresh.map((line) => parseJson(line))
  }

  #compare(what: string, expected: readonly JsonObject[], actual: readonly Json[]): string[] {
    // Of most requests the raw device's lines were not recorded.
    if (what === 'lines_log_raw' && expected.length === 0) return []
    if (expected.length !== actual.length) {
      return [
        `${what}: recorded ${expected.length}, got ${actual.length}: ${JSON.stringify(actual)}`,
      ]
    }
    return expected.flatMap((line, i) =>
      differences(looseTtl(line), actual[i], this.#variables, { ordered: true }, `${what}[${i}]`),
    )
  }

  async #hashes({ hashed }: AuditedRequest, lines: readonly Json[]): Promise<string[]> {
    const found: string[] = []
    for (const { line, at, input } of hashed) {
      const asked = await this.#server.api('POST', 'sys/audit-hash/file', {
        token: this.#server.rootToken,
        body: { input: this.#hashedInput(input) },
      })
      const hash = valueAt(asked.json, 'data.hash')
      const actual = valueAt(lines[line], at)
      if (hash !== actual) found.push(`line ${line} ${at}: is not the hash of the input`)
    }
    // The questions were audited too.
    this.#newLines('audit.log')
    this.#newLines('raw.log')
    return found
  }

  /** The recorder left the literal token that it had made where the line holds ours. */
  #hashedInput(input: string): string {
    const isMadeToken = /^s\.[A-Za-z0-9]{24}$/.test(input) && input !== 's.aaaaaaaaaaaaaaaaaaaaaaaa'
    return substitute(isMadeToken ? '${t}' : input, this.#variables)
  }
}

/** A remaining time was recorded as it was: how long the recorder took. */
function looseTtl(line: Json): Json {
  return parseJson(JSON.stringify(line).replace(/"ttl":[1-9]\d*/g, '"ttl":"<int>"'))
}
