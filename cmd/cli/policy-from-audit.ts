/** `policy from-audit`: the least policy for what somebody did, out of the log of an audit device. */
import { systemClock, rfc3339 } from '../../core/clock.ts'
import { InvalidDuration, parseDurationSeconds } from '../../core/duration.ts'
import { askData } from '../client/logical.ts'
import { textOf } from '../client/secret.ts'
import { asksForSudo } from '../client/sudo-paths.ts'
import { linesOfLog, parseAuditLine, type AuditedRequest } from './audit-log.ts'
import { command, exactly } from './command.ts'
import type { Call } from './command.ts'
import { CommandFailed, EXIT_USAGE, UsageProblem, orFail } from './failure.ts'
import { text, whole, yesNo } from './flags.ts'
import type { FlagValues } from './flags.ts'
import { namespacePrefix } from './paths.ts'
import {
  neededCapability,
  policyText,
  propose,
  type Proposal,
  type WantedRequest,
} from './policy-proposal.ts'

const flags = {
  'token-accessor': text(
    'What the token with this accessor did: as the log has it (hmac-sha256:...), or as it is, and the server hashes it.',
  ),
  device: text('The audit device of the file, for hashing -token-accessor; default: file.'),
  'display-name': text('What tokens of this display name did.'),
  policy: text('What tokens with this policy did.'),
  since: text('Only from then on: a time (RFC 3339), or a span before now, such as 24h.'),
  'with-refused': yesNo('Allow what policies have refused, too.'),
  'without-default': yesNo('Leave out what the policy "default" alone has allowed.'),
  group: whole(
    'Make one rule with "+" of so many siblings with the same capabilities, or more; it then allows others as well.',
  ),
}
type AuditCall = Call<typeof flags> & { flags: FlagValues<typeof flags> }

export const fromAudit = command({
  usage: 'policy from-audit [options] FILE',
  about: `Proposes the least policy for what a token did, out of the log of an audit device ("-": standard input). It
allows these operations on these paths, and no others, unless -group asks for fewer rules.

  %p policy from-audit -display-name=approle /var/log/keyhold/audit.log
  %p policy from-audit -token-accessor=DZpIQDVlFzZdtDMySNpMZBpr -device=file audit.log

Paths are relative to the namespace of -namespace, where the policy is to be written. Nothing is written: the policy is
printed, for a person to read.`,
  outputs: 'format',
  words: exactly(1),
  flags,
  async run(call) {
    const { flags: given, args, connection, printer } = call
    const file = (args[0] ?? '').trim()
    const namespace = namespacePrefix(connection().namespace)
    const entries = await collect(file, call, await wantedOf(call), namespace)
    const { group } = given
    if (group !== undefined && group < 2) throw new UsageProblem('-group must be at least 2')
    const proposal = propose(entries.wanted.values(), { groupFrom: group })
    warnOf(entries, proposal, call)
    if (proposal.rules.length === 0)
      throw new CommandFailed(
        'Nothing in the log is by whom you ask for, and needs a policy.',
        EXIT_USAGE,
      )
    const policy = policyText(proposal, commentOf(entries, namespace))
    if (printer.format === 'table') printer.line(policy.trimEnd())
    else printer.data({ policy })
  },
})

type Wanted = (request: AuditedRequest) => boolean

async function wantedOf(call: AuditCall): Promise<Wanted> {
  const { policy, since, 'token-accessor': accessor, 'display-name': displayName } = call.flags
  if (accessor === undefined && displayName === undefined && policy === undefined)
    throw new UsageProblem('Say whose requests: -token-accessor, -display-name or -policy')
  const sinceMs = since === undefined ? -Infinity : timeOf(since)
  const accessors = accessor === undefined ? undefined : await formsOf(accessor.trim(), call)
  return (request) =>
    (accessors === undefined || accessors.includes(request.accessor)) &&
    (displayName === undefined || request.displayName === displayName) &&
    (policy === undefined || request.policies.includes(policy)) &&
    request.timeMs >= sinceMs
}

const HASHED = 'hmac-sha256:'
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/

function timeOf(since: string): number {
  if (RFC3339.test(since)) return Date.parse(since.toUpperCase())
  try {
    return systemClock.nowMs() - parseDurationSeconds(since) * 1_000
  } catch (error) {
    if (!(error instanceof InvalidDuration)) throw error
    throw new UsageProblem(
      '-since must be a time such as 2030-01-31T12:00:00Z, or a span such as 24h',
    )
  }
}

/** As a log has the accessor: as it is where the device has `hmac_accessor=false`, else hashed under its salt. */
async function formsOf(accessor: string, call: AuditCall): Promise<readonly string[]> {
  if (accessor.startsWith(HASHED)) return [accessor]
  const device = (call.flags.device ?? 'file').replace(/\/+$/, '')
  const data = await orFail(
    `Error hashing the accessor as audit device ${device} does (give it as the log has it, ${HASHED}..., or use -display-name)`,
    askData(
      { ...call.connection(), namespace: '' },
      { method: 'PUT', path: `sys/audit-hash/${device}`, body: { input: accessor } },
    ),
  )
  return [accessor, textOf(data['hash'])]
}

interface Collected {
  /** By capability and path. */
  readonly wanted: Map<string, WantedRequest>
  /** Ids of requests that count. */
  readonly requests: Set<string>
  readonly refused: Set<string>
  elsewhere: number
  unreadable: number
  firstMs: number
  lastMs: number
}

async function collect(
  file: string,
  call: AuditCall,
  isWanted: Wanted,
  namespace: string,
): Promise<Collected> {
  const found: Collected = {
    wanted: new Map(),
    requests: new Set(),
    refused: new Set(),
    elsewhere: 0,
    unreadable: 0,
    firstMs: Infinity,
    lastMs: -Infinity,
  }
  for await (const line of linesOfLog(file, call.terminal)) {
    const entry = line.trim() === '' ? undefined : parseAuditLine(line)
    if (entry === 'unreadable') found.unreadable++
    else if (entry !== undefined && isWanted(entry)) take(found, entry, call, namespace)
  }
  return found
}

function take(
  found: Collected,
  entry: AuditedRequest,
  { flags: { 'with-refused': withRefused, 'without-default': withoutDefault } }: AuditCall,
  namespace: string,
): void {
  const byDefault = entry.granting.length > 0 && entry.granting.every((name) => name === 'default')
  if (withoutDefault && byDefault) return
  if (!entry.allowed) found.refused.add(entry.id)
  if (!entry.allowed && !withRefused) return
  if (!entry.namespacePath.startsWith(namespace)) {
    found.elsewhere++
    return
  }
  const capability = neededCapability(entry.operation)
  if (capability === undefined) return
  const path = entry.namespacePath.slice(namespace.length) + entry.path
  // The log does not say that a path asked for sudo.
  const needsSudo = asksForSudo(entry.path, capability)
  found.wanted.set(`${capability} ${path}`, { capability, path, needsSudo })
  found.requests.add(entry.id)
  found.firstMs = Math.min(found.firstMs, entry.timeMs)
  found.lastMs = Math.max(found.lastMs, entry.timeMs)
}

function commentOf({ requests, firstMs, lastMs }: Collected, namespace: string): readonly string[] {
  const where = namespace === '' ? '' : `, for namespace ${namespace}`
  return [
    `The least policy for ${requests.size} requests from ${rfc3339(firstMs)} to ${rfc3339(lastMs)}${where}.`,
  ]
}

function warnOf(
  found: Collected,
  { unnamable }: Proposal,
  { printer, flags: given }: AuditCall,
): void {
  if (found.refused.size > 0 && !given['with-refused'])
    printer.warn(
      `Left out: ${found.refused.size} requests that were refused (-with-refused allows them).`,
    )
  if (found.elsewhere > 0)
    printer.warn('Left out: requests in namespaces that -namespace does not hold.')
  if (found.unreadable > 0)
    printer.warn(`Left out: ${found.unreadable} lines that are no audit entries.`)
  for (const path of unnamable)
    printer.warn(
      `Left out: ${JSON.stringify(path)}, which a policy would read as more paths than one.`,
    )
}
