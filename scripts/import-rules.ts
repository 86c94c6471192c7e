/** The directions in which source files may import each other. */

/** What a plugin of anybody may use of the core: the contract, and helpers that hold no state of the server. */
const PLUGIN_CONTRACT =
  /^core\/(?:plugin\/|store\/(?:awaitable|kind|view|transaction)\.ts|policy\/names\.ts|(?:ahead|cidr|clock|der|duration|errors|json|keyed-hash|random|ttl)\.ts)/
/** What the rest of the core may know of HTTP: the plain request and answer, and how a body is read. */
const PLAIN_HTTP = /^core\/http\/(?:message|body)\.ts$/
/** The way of a request, which is made of the plugin contract. */
const PIPELINE = /^core\/(?:pipeline\.ts|request\/)/
/** Part of the server itself: they may use all of the core but its listeners. */
const PRIVILEGED = /^(?:engines\/(?:system|cubbyhole|identity)|auth\/token)\//
/** Tests and what they share may use the kit. */
const TEST = /\.(?:test|suite|fixture)\.ts$|\/testing\//

/** @returns what is wrong with it; paths are relative to the project's folder */
export function wrongWay(file: string, target: string): string | undefined {
  if (TEST.test(file)) return undefined
  if (target.startsWith('test/') || TEST.test(target)) return 'sources do not import tests'
  const [from = ''] = file.split('/')
  const [to = ''] = target.split('/')
  switch (from) {
    case 'storage':
      return to === 'storage' ? undefined : 'a storage imports nothing of the rest'
    case 'clients':
      return to === 'clients' ? undefined : 'a client library imports nothing of the rest'
    case 'core':
      return wrongInCore(file, target)
    case 'engines':
    case 'auth':
      return wrongForPlugin(file, target)
    default:
      return undefined
  }
}

function wrongInCore(file: string, target: string): string | undefined {
  if (target === 'storage/contract.ts') return undefined
  if (!target.startsWith('core/')) return "the core imports itself and the storage's contract"
  if (file.startsWith('core/plugin/') && PIPELINE.test(target)) {
    return 'the plugin contract knows nothing of the way of a request'
  }
  if (file.startsWith('core/http/') || !target.startsWith('core/http/')) return undefined
  return PLAIN_HTTP.test(target) ? undefined : 'the pipeline knows no listener'
}

function wrongForPlugin(file: string, target: string): string | undefined {
  const home = file.split('/').slice(0, 2).join('/')
  if (target.startsWith(`${home}/`)) return undefined
  if (!target.startsWith('core/')) return 'engines and methods import themselves and the core'
  if (target.startsWith('core/http/')) return 'engines and methods know no HTTP'
  if (PLUGIN_CONTRACT.test(target) || PRIVILEGED.test(file)) return undefined
  return 'it is not part of the plugin contract'
}
