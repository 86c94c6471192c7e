/**
 * What external plugins store. A record is text that its plugin made and reads again, in the form of the server's own
 * (`kind.ts`): the server neither knows its shape nor looks.
 */
import type { TextKind } from '../store/kind.ts'

export const pluginRecords: TextKind<string> = {
  name: 'of a plugin',
  keptWhenWritten: true,
  encode: (text) => text,
  decode: (_key, content) => content.toString(),
}
