/** A record as the text that it is, whatever its kind: for an operator who mends the storage by hand (`sys/raw`). */
import type { TextKind } from './kind.ts'

/** To be written only: the cache has a record as its own kind parsed it, so `Store.readText` reads. */
export const rawText: TextKind<string> = {
  name: 'raw text',
  keptWhenWritten: false,
  encode: (text) => text,
  decode: (_key, content) => content.toString(),
}
