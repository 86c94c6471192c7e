/**
 * Data from the command line: `key=value`, `key=@file`, `key=-` (standard input), `@file.json` and `-` (a JSON object).
 * A key that is given twice becomes a list; `\@` stands for an `@` that names no file.
 */
import { readFile } from 'node:fs/promises'
import { isJsonObject, parseJson } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { goValue } from '../output/go-value.ts'
import { UsageProblem, reasonOf } from './failure.ts'

/** Gives standard input, all of it; asked at most once. */
type Input = () => Promise<Buffer>

/** Standard input of a command that must not wait for a person: empty. */
const NO_INPUT: Input = () => Promise.resolve(Buffer.alloc(0))

export function inputOf(call: { nonInteractive: boolean; terminal: { readInput: Input } }): Input {
  return call.nonInteractive ? NO_INPUT : () => call.terminal.readInput()
}

/** One pair does not read; the reason is worded as Vault's. */
class UnfitPair extends Error {
  override readonly name = 'UnfitPair'
}

/** @throws {UsageProblem} naming the pair: it is what this person just typed */
export async function parseData(
  args: readonly string[],
  input: Input,
  complaint = 'Failed to parse K=V data',
): Promise<JsonObject> {
  const data = new Map<string, Json>()
  const once = onlyOnce(input)
  for (const arg of args) {
    try {
      for (const [key, value] of await pairsOf(arg, once)) data.set(key, value)
      addPair(data, await pairOf(arg, once))
    } catch (error) {
      if (!(error instanceof UnfitPair)) throw error
      throw new UsageProblem(
        `${complaint}: invalid key/value pair ${JSON.stringify(arg)}: ${error.message}`,
      )
    }
  }
  return Object.fromEntries(data)
}

/** As `parseData`, every value as text. */
export async function parseTexts(
  args: readonly string[],
  input: Input,
  complaint?: string,
): Promise<Readonly<Record<string, string>>> {
  const data = await parseData(args, input, complaint)
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, textOf(value)]))
}

/** As `parseData`, every value as the texts of a query parameter. */
export async function parseQuery(
  args: readonly string[],
  input: Input,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const data = await parseData(args, input)
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.map(textOf) : [textOf(value)],
    ]),
  )
}

function textOf(value: Json): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  return value === null ? '' : goValue(value)
}

/** The members of a whole object: `-` or `@file`. */
async function pairsOf(arg: string, input: Input): Promise<readonly (readonly [string, Json])[]> {
  if (arg === '-') return Object.entries(parseMembers(await input()))
  if (arg.startsWith('@') && !arg.includes('='))
    return Object.entries(parseMembers(await fileOf(arg)))
  return []
}

async function pairOf(arg: string, input: Input): Promise<readonly [string, string] | undefined> {
  const at = arg.indexOf('=')
  if (at >= 0) return [arg.slice(0, at), await valueOf(arg.slice(at + 1), input)]
  if (arg === '' || arg === '-' || arg.startsWith('@')) return undefined
  throw new UnfitPair('format must be key=value')
}

async function valueOf(text: string, input: Input): Promise<string> {
  if (text === '-') return (await input()).toString('utf8')
  if (text.startsWith('@')) return (await fileOf(text)).toString('utf8')
  return text.startsWith('\\@') ? text.slice(1) : text
}

function addPair(data: Map<string, Json>, pair: readonly [string, string] | undefined): void {
  if (pair === undefined) return
  const [key, value] = pair
  const before = data.get(key)
  data.set(key, before === undefined ? value : [before, value].flat())
}

function parseMembers(content: Buffer): JsonObject {
  let parsed: Json
  try {
    parsed = parseJson(content.toString('utf8'))
  } catch {
    throw new UnfitPair('the content is not JSON; an object is needed: {"key": "value"}')
  }
  if (!isJsonObject(parsed))
    throw new UnfitPair('the content is no JSON object; needed: {"key": "value"}')
  return parsed
}

/** @param text `@` and a path */
async function fileOf(text: string): Promise<Buffer> {
  const path = text.slice(1)
  try {
    return await readFile(path)
  } catch (error) {
    throw new UnfitPair(`error reading file: open ${path}: ${reasonOf(error)}`)
  }
}

function onlyOnce(input: Input): Input {
  let used = false
  return () => {
    if (used) throw new UnfitPair('stdin already consumed')
    used = true
    return input()
  }
}
