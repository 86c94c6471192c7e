/** In a plugin's process: what it imports as `keyhold/plugin` is the server's own, whatever the plugin's folder holds. */
import { registerHooks } from 'node:module'
import { extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const own = extname(import.meta.url)
const PROVIDED: ReadonlyMap<string, string> = new Map([
  ['keyhold/plugin', inContract('published')],
  ['keyhold/plugin-testing', inContract('testing')],
])

function inContract(name: string): string {
  return pathToFileURL(join(import.meta.dirname, `../../plugin/${name}${own}`)).href
}

/** A plugin that brings no zod of its own gets the server's. */
export function provideContract(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const url = PROVIDED.get(specifier)
      if (url !== undefined) return { url, shortCircuit: true }
      if (specifier !== 'zod') return next(specifier, context)
      try {
        return next(specifier, context)
      } catch {
        // Not in its folder, and beyond that it may not look.
        return { url: import.meta.resolve('zod'), shortCircuit: true }
      }
    },
  })
}
