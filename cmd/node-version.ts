/** Which Node the program needs, said before an older one fails at something that it does not know. */

/** As package.json says in `engines`. */
const OLDEST_NODE = 24

/** @returns what to tell the person who started it with a Node that is too old */
export function tooOld(nodeVersion: string): string | undefined {
  if (Number.parseInt(nodeVersion, 10) >= OLDEST_NODE) return undefined
  return (
    `Error: this is Node ${nodeVersion}, and Keyhold needs Node ${OLDEST_NODE} or newer\n` +
    `hint: install it and put it first on the PATH; "node --version" says which one is found\n`
  )
}
