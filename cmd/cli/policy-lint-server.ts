/** Rules of a policy held against a server: what is mounted, and which paths and operations its engines have. */
import { isAnsweredDirectly } from '../../core/api.ts'
import { isJsonObject } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import { CAPABILITY_BIT as BIT, capabilityNames } from '../../core/policy/capability.ts'
import type { PathRule } from '../../core/policy/policy.ts'
import type { Connection } from '../client/connection.ts'
import { askBare, askData } from '../client/logical.ts'
import { objectOf, objectsOf } from '../client/secret.ts'
import { nearest } from '../server/config-nearest.ts'
import type { Finding } from './policy-lint-text.ts'

/** What a server says of itself to whoever asks. */
export interface ServerFacts {
  /** With a `/` at the end: `secret/`, `auth/approle/`. */
  readonly mounts: readonly string[]
  readonly paths: readonly DeclaredPath[]
}

interface DeclaredPath {
  /** `secret/data/{path}`, without a `/` before it. */
  readonly template: string
  /** Bits of `CAPABILITY_BIT` that some operation of it needs. */
  readonly capabilities: number
}

/** Always there, and mounted nowhere that is shown. */
const BUILT_IN = ['sys/', 'cubbyhole/', 'identity/', 'auth/token/']

/** @throws {RequestFailed} */
export async function askServer(connection: Connection): Promise<ServerFacts> {
  const mounts = await askData(connection, { method: 'GET', path: 'sys/internal/ui/mounts' })
  const document = await askBare(connection, { method: 'GET', path: 'sys/internal/specs/openapi' })
  const auth = Object.keys(objectOf(mounts['auth']) ?? {}).map((name) => `auth/${name}`)
  return {
    mounts: [
      ...new Set([...BUILT_IN, ...Object.keys(objectOf(mounts['secret']) ?? {}), ...auth]),
    ].toSorted(),
    paths: declaredPaths(objectOf(document['paths']) ?? {}),
  }
}

function declaredPaths(document: JsonObject): readonly DeclaredPath[] {
  const paths = Object.entries(document).map(([template, item]) => ({
    template: template.replace(/^\//, ''),
    capabilities: isJsonObject(item) ? capabilitiesOf(item) : 0,
  }))
  const versioned = new Set(
    paths.flatMap(({ template }) => /^(.*\/)data\/\{[^/]+\}$/.exec(template)?.[1] ?? []),
  )
  // Versioned kv takes any other path to say that it is the wrong one.
  return paths.filter(({ template }) => !versioned.has(template.replace(/\{[^/]+\}$/, '')))
}

/** OpenAPI knows no scan, and its one `get` stands for a read, a listing, or both. */
function capabilitiesOf(item: JsonObject): number {
  const get = objectOf(item['get'])
  const list = objectsOf(get?.['parameters']).find(({ name }) => name === 'list')
  const listOnly = list?.['required'] === true
  return (
    BIT.sudo |
    (list === undefined ? 0 : BIT.list | BIT.scan) |
    (get === null || listOnly ? 0 : BIT.read) |
    (item['post'] === undefined ? 0 : BIT.create | BIT.update) |
    (item['patch'] === undefined ? 0 : BIT.patch) |
    (item['delete'] === undefined ? 0 : BIT.delete)
  )
}

export function serverFindings(
  rules: readonly PathRule[],
  server: ServerFacts,
): readonly Finding[] {
  return rules.flatMap((rule) => ruleFindings(rule, server))
}

function ruleFindings(rule: PathRule, { mounts, paths }: ServerFacts): readonly Finding[] {
  const segments = rule.path.split('/')
  const reached = mounts.filter((mount) => meets(segments, mountSegments(mount)))
  if (reached.length === 0) return [unmounted(rule, mounts)]
  const below = paths.filter(({ template }) => reached.some((mount) => template.startsWith(mount)))
  // What the caller's policies do not reach is not in the document.
  if (below.length === 0) return []
  const declared = below.filter(({ template }) => meets(segments, templateSegments(template)))
  if (declared.length === 0) {
    return isAnsweredDirectly(rule.path) ? [] : [undeclared(rule, reached, below)]
  }
  const possible = declared.reduce((sum, { capabilities }) => sum | capabilities, 0)
  const idle = rule.capabilities & ~possible & ~(BIT.deny | BIT.sudo)
  if (idle === 0) return []
  const names = capabilityNames(idle)
  const text = `no path of the server that it fits has an operation for ${names.map((name) => `"${name}"`).join(', ')}`
  return [found(rule, 'warning', text)]
}

function found({ line, path }: PathRule, severity: Finding['severity'], text: string): Finding {
  return { line, severity, text: `path ${JSON.stringify(path)}: ${text}` }
}

/** A warning: the engine may come later, or be one that the caller does not see. */
function unmounted(rule: PathRule, mounts: readonly string[]): Finding {
  const segments = rule.path.split('/')
  const depth = segments[0] === 'auth' ? 2 : 1
  const first = `${segments.slice(0, depth).join('/')}/`
  const near = nearest(first, mounts)
  const hint = near === undefined ? '' : `; did you mean "${near}"?`
  return found(rule, 'warning', `nothing is mounted there${hint}`)
}

/** An error where what was meant is plain; else the path may be one of Vault's that this server has not. */
function undeclared(
  rule: PathRule,
  reached: readonly string[],
  below: readonly DeclaredPath[],
): Finding {
  const [mount = ''] = reached
  const rest = rule.path.slice(mount.length)
  const folders = new Set(
    below
      .filter(({ template }) => template.startsWith(mount))
      .map(({ template }) => template.slice(mount.length).split('/')[0] ?? '')
      .filter((folder) => folder !== '' && !folder.startsWith('{')),
  )
  const [folder = '', ...more] = rest.split('/')
  const near = nearest(folder, [...folders])
  const meant =
    near !== undefined && near !== folder
      ? [mount + near, ...more].join('/')
      : folders.has('data') && folders.has('metadata')
        ? `${mount}data/${rest}`
        : undefined
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`
  return found(
    rule,
    meant === undefined ? 'warning' : 'error',
    `the engine at ${mount} has no such path${hint}`,
  )
}

type Segment =
  | { readonly kind: 'one'; readonly text: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'rest' }

function mountSegments(mount: string): readonly Segment[] {
  return [
    ...mount
      .slice(0, -1)
      .split('/')
      .map((text) => ({ kind: 'one', text }) as const),
    { kind: 'rest' },
  ]
}

/** The last name of a template may hold folders; OpenAPI does not say. */
function templateSegments(template: string): readonly Segment[] {
  const parts = template.split('/')
  const isName = (part: string): boolean => part.startsWith('{') && part.endsWith('}')
  return parts.map((text, index) => {
    if (!isName(text)) return { kind: 'one', text }
    return index === parts.length - 1 ? { kind: 'rest' } : { kind: 'any' }
  })
}

/** Whether some path fits both the rule and the template; with a `/` at its end too, as listings have it. */
function meets(rule: readonly string[], template: readonly Segment[]): boolean {
  const [segment, ...rules] = rule
  const [part, ...parts] = template
  if (part?.kind === 'rest') return true
  if (segment === undefined) return part === undefined
  if (rules.length === 0 && segment.endsWith('*')) {
    const prefix = segment.slice(0, -1)
    return part === undefined ? prefix === '' : part.kind === 'any' || part.text.startsWith(prefix)
  }
  if (part === undefined) return segment === '' && rules.length === 0
  const same = segment === '+' || part.kind === 'any' || segment === part.text
  return (same || segment.includes('{{')) && meets(rules, parts)
}
