/**
 * `control_group`: operations under it need the approval of others. The server has no approvals yet, so that a rule
 * which demands them refuses (`Acl.check`), rather than grants without them.
 */
import type { HclObject } from '../hcl/ast.ts'
import { blocksOf } from '../hcl/read.ts'
import { PolicyBlock, quoted } from './block.ts'
import { isCapability, type AclOperation, type Capability } from './capability.ts'

export interface ControlGroup {
  /** How long an approval counts; 0: for ever. */
  readonly ttlSeconds: number
  readonly selfAuthAllowed: boolean
  readonly factors: readonly ControlGroupFactor[]
}

export interface ControlGroupFactor {
  readonly name: string
  /** Empty: all of them. */
  readonly controlledCapabilities: readonly Capability[]
  readonly groupNames: readonly string[]
  readonly groupIds: readonly string[]
  readonly approvals: number
}

/**
 * @param label what stands before error texts
 * @param rule the block of a path, which may have one `control_group`
 * @throws {InvalidPolicy}
 * @throws {HclError} a factor without a name
 */
export function parseControlGroup(label: string, rule: HclObject): ControlGroup | undefined {
  const [group] = blocksOf(rule, 'control_group', 0)
  if (group === undefined) return undefined
  const inside = `${label}: control_group`
  const block = new PolicyBlock(
    inside,
    group.body,
    ['ttl', 'self_auth_allowed', 'factor'],
    ['factor'],
  )
  return {
    ttlSeconds: block.seconds('ttl'),
    selfAuthAllowed: block.boolean('self_auth_allowed'),
    factors: blocksOf(group.body, 'factor', 1).map(({ labels: [name = ''], body }) =>
      parseFactor(inside, name, body),
    ),
  }
}

function parseFactor(inside: string, name: string, body: HclObject): ControlGroupFactor {
  const label = `${inside} factor ${quoted(name)}`
  const block = new PolicyBlock(label, body, ['controlled_capabilities', 'identity'])
  const [identityBlock] = blocksOf(body, 'identity', 0)
  const identity =
    identityBlock &&
    new PolicyBlock(label, identityBlock.body, ['group_names', 'group_ids', 'approvals'])
  return {
    name,
    controlledCapabilities: block.strings('controlled_capabilities').map((capability) => {
      if (!isCapability(capability)) throw block.error(`invalid capability ${quoted(capability)}`)
      return capability
    }),
    groupNames: identity?.strings('group_names') ?? [],
    groupIds: identity?.strings('group_ids') ?? [],
    approvals: identity?.integer('approvals') ?? 0,
  }
}

/** Of two groups on one path both must approve, within the shorter time. */
export function mergeControlGroups(
  one: ControlGroup | undefined,
  other: ControlGroup | undefined,
): ControlGroup | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return {
    ttlSeconds: Math.min(one.ttlSeconds || other.ttlSeconds, other.ttlSeconds || one.ttlSeconds),
    selfAuthAllowed: one.selfAuthAllowed && other.selfAuthAllowed,
    factors: [...one.factors, ...other.factors],
  }
}

export function controls(group: ControlGroup, operation: AclOperation): boolean {
  return (
    group.factors.length === 0 ||
    group.factors.some(
      ({ controlledCapabilities }) =>
        controlledCapabilities.length === 0 ||
        controlledCapabilities.some((name) => name === operation),
    )
  )
}
