/** How long the texts of a mount may be: each mount is one record, and lists show all of them. */
import { BadRequest } from '../../core/errors.ts'

/** What a person writes about a mount. */
const MAX_DESCRIPTION_BYTES = 4096
/** A type, a version, a name in a list, the name of an option. */
const MAX_NAME_BYTES = 256
/** The value of an option. */
const MAX_OPTION_BYTES = 4096
const MAX_OPTIONS = 64
/** Names in one list, such as the headers that an engine sees. */
const MAX_NAMES = 256

interface Texts {
  readonly type?: string | undefined
  readonly plugin_name?: string | undefined
  readonly plugin_version?: string | undefined
  readonly description?: string | undefined
  readonly options?: Readonly<Record<string, string>> | undefined
}

/** Judges what a request says of a mount, which is its `data`. @throws {BadRequest} a text is too long, named */
export function demandMountLimits({ description, options = {}, ...names }: Texts): void {
  for (const name of ['type', 'plugin_name', 'plugin_version'] as const) {
    demandBytes(name, names[name], MAX_NAME_BYTES)
  }
  demandBytes('description', description, MAX_DESCRIPTION_BYTES)
  if (Object.keys(options).length > MAX_OPTIONS) {
    throw new BadRequest(`'options' has too many entries: at most ${MAX_OPTIONS}`)
  }
  for (const [name, value] of Object.entries(options)) {
    demandBytes('options', name, MAX_NAME_BYTES, 'the name of an option')
    demandBytes('options', value, MAX_OPTION_BYTES, 'the value of an option')
  }
}

/** @throws {BadRequest} */
export function demandNames(field: string, names: readonly string[]): void {
  if (names.length > MAX_NAMES) {
    throw new BadRequest(`'${field}' has too many names: at most ${MAX_NAMES}`)
  }
  for (const name of names) demandBytes(field, name, MAX_NAME_BYTES, 'a name')
}

function demandBytes(field: string, text: string | undefined, most: number, what = 'it'): void {
  if (text === undefined || Buffer.byteLength(text) <= most) return
  throw new BadRequest(`'${field}' is too long: ${what} has at most ${most} bytes`)
}
