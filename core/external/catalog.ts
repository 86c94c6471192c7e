/**
 * The catalog of external plugins: what an operator registered, and which versions are pinned. Every node reads it in the
 * transaction of the request, so a change holds everywhere at once.
 */
import { z } from 'zod'
import type { Served } from '../mounts/registry.ts'
import { kind } from '../store/kind.ts'
import type { View } from '../store/view.ts'

const kinds = z.enum(['secret', 'auth'])

const registeredSchema = z
  .object({
    kind: kinds,
    name: z.string(),
    /** `v1.2.3`; empty: it was registered without. */
    version: z.string(),
    /** The file or folder, relative to the plugin directory. */
    command: z.string(),
    args: z.array(z.string()).readonly(),
    /** `NAME=value` each; may hold secrets. */
    env: z.array(z.string()).readonly(),
    /** Lower-case hex; see `files.ts`. */
    sha256: z.string(),
    /** Rises when it is reloaded: its processes are then made anew. */
    reloads: z.number().int(),
  })
  .readonly()
export type Registered = z.infer<typeof registeredSchema>
type Kind = Registered['kind']

const catalogRecords = kind('plugin', registeredSchema)
const pinSchema = z.object({ kind: kinds, name: z.string(), version: z.string() }).readonly()
export type Pin = z.infer<typeof pinSchema>
const pinRecords = kind('plugin-pin', pinSchema)
const CATALOG = 'core/plugin/'
const PINS = 'core/plugin-pin/'

/** Whether such a record changes which plugins run. */
export function isOfCatalog(key: string): boolean {
  return key.startsWith(CATALOG)
}

/** The segment of a key for who has no version. */
const UNVERSIONED = 'unversioned'

function catalogKey(of: Kind, name: string, version: string): string {
  return `${CATALOG}${of}/${name}/${version === '' ? UNVERSIONED : version}`
}

export function findRegistered(root: View, of: Kind, name: string, version: string) {
  return root.get(catalogRecords, catalogKey(of, name, version))
}

export function putRegistered(root: View, plugin: Registered): void {
  root.put(catalogRecords, catalogKey(plugin.kind, plugin.name, plugin.version), plugin)
}

export function removeRegistered(root: View, plugin: Registered): void {
  root.delete(catalogKey(plugin.kind, plugin.name, plugin.version))
}

/** All, by name and version. */
export async function listRegistered(root: View, of: Kind): Promise<readonly Registered[]> {
  const found: Registered[] = []
  for (const folder of await root.list(`${CATALOG}${of}/`)) {
    found.push(...(await versionsOf(root, of, folder.slice(0, -1))))
  }
  return found
}

/** The versions of one, the newest last. */
export async function versionsOf(root: View, of: Kind, name: string): Promise<Registered[]> {
  const found: Registered[] = []
  for (const version of await root.list(`${CATALOG}${of}/${name}/`)) {
    const plugin = await root.get(catalogRecords, `${CATALOG}${of}/${name}/${version}`)
    if (plugin !== undefined) found.push(plugin)
  }
  return found.sort((a, b) => compareVersions(a.version, b.version))
}

export function findPin(root: View, of: Kind, name: string) {
  return root.get(pinRecords, `${PINS}${of}/${name}`)
}

export function putPin(root: View, pin: Pin): void {
  root.put(pinRecords, `${PINS}${pin.kind}/${pin.name}`, pin)
}

export function removePin(root: View, of: Kind, name: string): void {
  root.delete(`${PINS}${of}/${name}`)
}

export async function listPins(root: View): Promise<Pin[]> {
  const found: Pin[] = []
  for (const of of kinds.options) {
    for (const name of await root.list(`${PINS}${of}/`)) {
      const pin = await findPin(root, of, name)
      if (pin !== undefined) found.push(pin)
    }
  }
  return found
}

/** The version that serves a mount: the pinned one, else the mount's own. */
export async function servingVersion(root: View, mount: Served): Promise<string> {
  return (await findPin(root, mount.kind, mount.type))?.version ?? mount.pluginVersion ?? ''
}

const VERSION = /^v?(\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[\w.-]{1,64})?(?:\+[\w.-]{1,64})?)$/

/** As the catalog has it: `v1.2.3`. `undefined`: it is no semantic version. */
export function canonicalVersion(text: string): string | undefined {
  if (text === '') return ''
  const bare = VERSION.exec(text)?.[1]
  return bare === undefined ? undefined : `v${bare}`
}

/** By semantic versioning: a pre-release comes before its release, build data do not count. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  for (let i = 0; i < 3; i++) {
    const difference = (left.numbers[i] ?? 0) - (right.numbers[i] ?? 0)
    if (difference !== 0) return difference
  }
  if (left.pre === right.pre) return 0
  if (left.pre === '') return 1
  if (right.pre === '') return -1
  return left.pre.localeCompare(right.pre, 'en', { numeric: true })
}

function partsOf(version: string): { numbers: readonly number[]; pre: string } {
  const [release = ''] = version.replace(/^v/, '').split('+')
  const dash = release.indexOf('-')
  const numbers = (dash < 0 ? release : release.slice(0, dash)).split('.').map(Number)
  return { numbers, pre: dash < 0 ? '' : release.slice(dash + 1) }
}
