/**
 * What a person types in another terminal to run the program that runs here, for texts that name commands.
 */
import { basename, relative } from 'node:path'

export interface StartedAs {
  /** The path of the executable or script. */
  readonly path: string
  readonly directory: string
  /** By `npm start` and the like: the Node that the project brings is found by npm only. */
  readonly byNpm: boolean
}

export function typedCommand({ path, directory, byNpm }: StartedAs): string {
  if (!/\.[jt]s$/.test(path)) return basename(path)
  const script = relative(directory, path)
  return `${byNpm ? 'npx ' : ''}node ${script.startsWith('..') ? path : script}`
}
