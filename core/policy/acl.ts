/**
 * What a token may do: its policies, compiled once, asked for each request.
 */
import { assert } from '../errors.ts'
import { capabilityNames, type Capability } from './capability.ts'
import { grantingPolicy, type CompiledRule, type RuleRequest } from './compiled-rule.ts'
import { DENIED, HELP, type Decision } from './decision.ts'
import { ROOT_POLICY } from './names.ts'
import { isExact } from './pattern.ts'
import type { Policy } from './policy.ts'
import { RuleTable } from './rule-table.ts'

export interface AclRequest extends RuleRequest {
  /** The request's namespace: empty for the root namespace, else with its `/` at the end. */
  readonly namespacePath: string
  /** Canonical, relative to the namespace, without `/` before it; of a list or scan with `/` at the end. */
  readonly path: string
  /** The path is root-protected: `sudo` is needed beside the operation's capability. */
  readonly needsSudo?: boolean | undefined
}

/** Tables are made for namespaces that exist and were asked for; beyond this many, all are made anew. */
const MAX_TABLES = 256

export class Acl {
  /** When the first of its policies or rules expires, and it has to be compiled again; Infinity: never. */
  readonly expiresAtMs: number
  readonly #policies: readonly Policy[]
  readonly #root: { readonly namespacePath: string; readonly decision: Decision } | undefined
  readonly #tables = new Map<string, RuleTable>()

  /** Made by `compileAcl`. */
  constructor(policies: readonly Policy[], expiresAtMs: number) {
    const root = policies.find(({ name }) => name === ROOT_POLICY)
    assert(root === undefined || policies.length === 1, 'the policy root is alone')
    this.expiresAtMs = expiresAtMs
    this.#policies = policies
    this.#root = root && {
      namespacePath: root.namespace.path,
      decision: {
        ...DENIED,
        allowed: true,
        root: true,
        sudo: true,
        grantingPolicies: [grantingPolicy(ROOT_POLICY, root.namespace)],
      },
    }
  }

  /** hot: each request. Gives the same object for the same answer wherever it can. */
  check(request: AclRequest): Decision {
    const { operation, namespacePath } = request
    if (this.#root !== undefined) return this.#checkRoot(namespacePath)
    if (operation === 'help') return HELP
    const rule = this.find(
      namespacePath,
      request.path,
      operation === 'list' || operation === 'scan',
    )
    if (rule === undefined) return DENIED
    const decision = rule.decide(request)
    return request.needsSudo === true && decision.allowed && !decision.sudo
      ? refused(decision)
      : decision
  }

  /** Sorted; `["root"]` for the policy root, `["deny"]` for nothing. The path is taken as that of a list. */
  capabilities(path: string, namespacePath = ''): readonly (Capability | 'root')[] {
    if (this.#root !== undefined)
      return this.#checkRoot(namespacePath).allowed ? ['root'] : ['deny']
    return capabilityNames(this.find(namespacePath, path, true)?.rule.capabilities ?? 0)
  }

  /** Whether `sudo` is granted on the path; the policy root implies it. */
  sudo(path: string, namespacePath = ''): boolean {
    const names = this.capabilities(path, namespacePath)
    return names.includes('sudo') || names.includes('root')
  }

  /** The policy root, anywhere. */
  get isRoot(): boolean {
    return this.#root !== undefined
  }

  /** Whether anything is granted on a path that begins so, such as that of a mount: it may then be shown. */
  reachesBelow(prefix: string, namespacePath = ''): boolean {
    if (this.#root !== undefined) return this.#checkRoot(namespacePath).allowed
    if (this.capabilities(prefix, namespacePath)[0] !== 'deny') return true
    const table = this.#table(namespacePath)
    return [...table.exact.values(), ...table.globs].some(
      (rule) => !rule.denies && rule.rule.capabilities !== 0 && mayMatchBelow(rule, prefix),
    )
  }

  /** All rules that count in a namespace, for `resultant-acl`: the exact ones and those with a wildcard. */
  rules(namespacePath = ''): {
    readonly exact: readonly CompiledRule[]
    readonly globs: readonly CompiledRule[]
  } {
    const table = this.#table(namespacePath)
    return { exact: [...table.exact.values()], globs: table.globs }
  }

  /** The rule that applies to the path; undefined where none does, and for the policy root. */
  find(namespacePath: string, path: string, listing: boolean): CompiledRule | undefined {
    return this.#table(namespacePath).find(
      path.startsWith('/') ? path.replace(/^\/+/, '') : path,
      listing,
    )
  }

  /** Root counts in its namespace and those below it. */
  #checkRoot(namespacePath: string): Decision {
    const root = this.#root
    return root !== undefined && namespacePath.startsWith(root.namespacePath)
      ? root.decision
      : DENIED
  }

  #table(namespacePath: string): RuleTable {
    const known = this.#tables.get(namespacePath)
    if (known !== undefined) return known
    if (this.#tables.size >= MAX_TABLES) this.#tables.clear()
    const table = new RuleTable(this.#policies, namespacePath)
    this.#tables.set(namespacePath, table)
    return table
  }
}

function refused(decision: Decision): Decision {
  return { ...DENIED, rule: decision.rule }
}

/** Whether the pattern matches some path that begins with `prefix`: compared segment by segment as far as both go. */
function mayMatchBelow({ pattern }: CompiledRule, prefix: string): boolean {
  if (isExact(pattern)) return pattern.text.startsWith(prefix)
  const rule = (pattern.open ? pattern.text.slice(0, -1) : pattern.text).split('/')
  const wanted = prefix.split('/')
  const folders = wanted.slice(0, -1)
  if (rule.length < wanted.length) return false
  return (
    folders.every((segment, index) => rule[index] === '+' || rule[index] === segment) &&
    (rule[folders.length] ?? '').startsWith(wanted.at(-1) ?? '')
  )
}
