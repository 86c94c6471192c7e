/** Which Node the program needs, said before an older one fails at something that it does not know. */

/** As package.json says in `engines`. */
const OLDEST_NODE = [24, 7] as const

/** @returns what to tell the person who started it with a Node that is too old */
export function tooOld(nodeVersion: string): string | undefined {
  const [major, minor] = OLDEST_NODE
  const [ownMajor = 0, ownMinor = 0] = nodeVersion.split('.').map(Number)
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return undefined
  return (
    `Error: this is Node ${nodeVersion}, and Keyhold needs Node ${major}.${minor} or newer\n` +
    `hint: install it and put it first on the PATH; "node --version" says which one is found\n`
  )
}
