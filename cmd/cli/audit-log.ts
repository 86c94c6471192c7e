/** Reads the log of an audit device: Keyhold's, Vault's and OpenBao's are alike. */
import { open } from 'node:fs/promises'
import { isJsonObject, parseJson } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { CommandFailed, EXIT_USAGE, reasonOf } from './failure.ts'
import type { Terminal } from './terminal.ts'
import { numberOf, objectOf, objectsOf, stringsOf, textOf } from '../client/secret.ts'

/** What a line tells of one request that policies have judged. */
export interface AuditedRequest {
  readonly id: string
  readonly timeMs: number
  /** Hashed, unless the device says otherwise; empty: a token without one. */
  readonly accessor: string
  readonly displayName: string
  readonly policies: readonly string[]
  readonly operation: string
  /** Relative to the namespace; of a listing with `/` at the end. */
  readonly path: string
  /** Empty for the root namespace, else with its `/` at the end. */
  readonly namespacePath: string
  /** Its strings are hashed, unless the device says otherwise. */
  readonly data: JsonObject
  /** 0: it did not ask for wrapping. */
  readonly wrapTtlSeconds: number
  readonly allowed: boolean
  /** The policies that allowed it. */
  readonly granting: readonly string[]
}

/** A line of it; `unreadable`: it is no entry. Undefined: no policy had a say in it. */
export type AuditLine = AuditedRequest | 'unreadable' | undefined

/** The line that tells of this request; undefined: none does, or no policy had a say in it. */
export async function findRequest(
  lines: AsyncIterable<string>,
  id: string,
): Promise<AuditedRequest | undefined> {
  for await (const line of lines) {
    const found = line.includes(id) ? parseAuditLine(line) : undefined
    if (typeof found === 'object' && found.id === id) return found
  }
  return undefined
}

/** @throws {CommandFailed} it cannot be read */
export async function* linesOfLog(path: string, terminal: Terminal): AsyncGenerator<string> {
  if (path === '-') {
    yield* (await terminal.readInput()).toString('utf8').split('\n')
    return
  }
  try {
    yield* linesOfFile(path)
  } catch (error) {
    throw new CommandFailed(`Error opening audit log: open ${path}: ${reasonOf(error)}`, EXIT_USAGE)
  }
}

async function* linesOfFile(path: string): AsyncGenerator<string> {
  const file = await open(path)
  try {
    yield* file.readLines()
  } finally {
    await file.close()
  }
}

export function parseAuditLine(line: string): AuditLine {
  // A device may put its `prefix` before each line.
  const entry = parsed(line.slice(Math.max(0, line.indexOf('{"'))))
  if (!isJsonObject(entry)) return 'unreadable'
  // Of a file whose lines are chained.
  if (entry['type'] === 'checkpoint') return undefined
  const request = objectOf(entry['request'])
  if (request === null) return 'unreadable'
  const auth = objectOf(entry['auth'])
  const results = objectOf(auth?.['policy_results'])
  if (auth === null || results === null) return undefined
  return {
    id: textOf(request['id']),
    timeMs: Date.parse(textOf(entry['time'])),
    accessor: textOf(auth['accessor']),
    displayName: textOf(auth['display_name']),
    policies: stringsOf(auth['policies']) ?? [],
    operation: textOf(request['operation']),
    path: textOf(request['path']),
    namespacePath: textOf(objectOf(request['namespace'])?.['path']),
    data: objectOf(request['data']) ?? {},
    wrapTtlSeconds: numberOf(request['wrap_ttl']),
    allowed: results['allowed'] === true,
    granting: objectsOf(results['granting_policies']).map(({ name }) => textOf(name)),
  }
}

function parsed(text: string): Json | undefined {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
