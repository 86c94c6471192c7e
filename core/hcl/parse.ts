/**
 * Reads HCL, version 1, as policies and configuration files use it, or the JSON that says the same.
 *
 * Reads    `key = value`, `key "label" { ... }`, strings, heredocs, numbers, booleans, lists, objects, three kinds of
 *          comments. Commas are optional between items. A text that begins with `{` is JSON and strictly so.
 * Keeps    every item in order, repeated ones too, each with its line and column.
 * Limits   1 MiB of text, 64 levels of nesting.
 * Fails    HclError, with the place and what was expected there; nothing else.
 * Without  interpolation (`${...}` is ordinary text), functions, expressions.
 */
import type { HclObject } from './ast.ts'
import { HclError } from './errors.ts'
import { JsonParser } from './json.ts'
import { HclParser } from './native.ts'

/** A policy of a megabyte or a configuration of a megabyte is a mistake. */
const MAX_CHARACTERS = 1024 * 1024

/**
 * @returns the top level, as an object
 * @throws {HclError} the text is neither HCL nor JSON, or beyond a limit
 */
export function parseHcl(text: string): HclObject {
  if (text.length > MAX_CHARACTERS)
    throw new HclError({ line: 1, column: 1 }, `expected at most ${MAX_CHARACTERS} characters`)
  const body = text.startsWith('\uFEFF') ? text.slice(1) : text
  return /^\s*\{/.test(body) ? new JsonParser(body).document() : new HclParser(body).document()
}
