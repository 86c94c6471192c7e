/** The seal's state as `status` and `operator unseal` show it. */
import type { Json, JsonObject } from '../../core/json.ts'
import type { Connection } from '../client/connection.ts'
import { ApiError } from '../client/errors.ts'
import { askBare } from '../client/logical.ts'
import { numberOf, textOf } from '../client/secret.ts'
import { goValue } from '../output/go-value.ts'
import type { Printable } from '../output/printable.ts'
import type { Printer } from '../output/printer.ts'
import { tableText } from '../output/table.ts'
import { EXIT_USAGE, orFail } from './failure.ts'

/** Prints the seal's state, together with what is asked of `sys/leader`. */
export async function showSealStatus(
  printer: Printer,
  connection: Connection,
  seal: JsonObject,
): Promise<void> {
  const leader = await orFail('Error checking leader status', askLeader(connection), EXIT_USAGE)
  if (printer.format === 'table')
    printer.line(tableText([['Key', 'Value'], ...statusRows(seal, leader)]))
  else printer.data(statusMembers(seal, leader))
}

/** A sealed server of a cluster cannot say who leads it. */
async function askLeader(connection: Connection): Promise<JsonObject> {
  try {
    return await askBare(connection, { method: 'GET', path: 'sys/leader' })
  } catch (error) {
    if (error instanceof ApiError && error.status === 503) return { ha_enabled: true }
    throw error
  }
}

type Row = readonly [string, string]

function row(title: string, value: Json | undefined): Row {
  return [title, goValue(value)]
}

/** A row that is left out where the server says nothing about it. */
function optional(title: string, value: Json | undefined): readonly Row[] {
  return value === undefined || value === '' || value === 0 || value === false
    ? []
    : [row(title, value)]
}

function statusRows(seal: JsonObject, leader: JsonObject): readonly Row[] {
  const sealed = seal['sealed'] === true
  const recovery = seal['recovery_seal'] === true
  return [
    row('Seal Type', seal['type']),
    ...(recovery ? optional('Recovery Seal Type', seal['recovery_seal_type']) : []),
    row('Initialized', seal['initialized']),
    row('Sealed', sealed),
    row(recovery ? 'Total Recovery Shares' : 'Total Shares', seal['n']),
    row('Threshold', seal['t']),
    ...(sealed ? progressRows(seal) : []),
    ...optional('Seal Migration in Progress', seal['migration']),
    ...optional('Version', seal['version']),
    ...optional('Build Date', seal['build_date']),
    ...optional('Commit Date', seal['commit_date']),
    ...optional('Storage Type', seal['storage_type']),
    ...clusterRows(seal),
    row('HA Enabled', leader['ha_enabled'] === true),
    ...(leader['ha_enabled'] === true && !sealed ? haRows(leader) : []),
    ...optional('Raft Committed Index', leader['raft_committed_index']),
    ...optional('Raft Applied Index', leader['raft_applied_index']),
  ]
}

function progressRows(seal: JsonObject): readonly Row[] {
  const progress = `${numberOf(seal['progress'])}/${numberOf(seal['t'])}`
  return [
    ['Unseal Progress', progress],
    ['Unseal Nonce', textOf(seal['nonce'])],
  ]
}

function clusterRows(seal: JsonObject): readonly Row[] {
  const { cluster_name: name, cluster_id: id } = seal
  const known = textOf(name) !== '' && textOf(id) !== ''
  return known ? [row('Cluster Name', name), row('Cluster ID', id)] : []
}

function haRows(leader: JsonObject): readonly Row[] {
  const active = leader['is_self'] === true
  return [
    ['HA Cluster', textOf(leader['leader_cluster_address'])],
    ['HA Mode', active ? 'active' : 'standby'],
    ...optional(
      active ? 'Active Since' : 'Active Node Address',
      leader[active ? 'active_time' : 'leader_address'],
    ),
  ]
}

/** Member, and what stands there where the server says nothing; undefined: it is left out then. */
const SEAL_MEMBERS: readonly (readonly [string, Json | undefined])[] = [
  ['type', ''],
  ['initialized', false],
  ['sealed', false],
  ['t', 0],
  ['n', 0],
  ['progress', 0],
  ['nonce', ''],
  ['version', ''],
  ['commit_date', ''],
  ['migration', false],
  ['cluster_name', undefined],
  ['cluster_id', undefined],
  ['recovery_seal', false],
  ['recovery_seal_type', undefined],
  ['storage_type', undefined],
  ['warnings', undefined],
  ['build_date', ''],
]

const LEADER_MEMBERS: readonly (readonly [string, Json | undefined])[] = [
  ['ha_enabled', false],
  ['is_self', undefined],
  ['active_time', undefined],
  ['leader_address', undefined],
  ['leader_cluster_address', undefined],
  ['raft_committed_index', undefined],
  ['raft_applied_index', undefined],
]

function statusMembers(seal: JsonObject, leader: JsonObject): ReadonlyMap<string, Printable> {
  return new Map<string, Printable>([
    ...membersFrom(seal, SEAL_MEMBERS),
    ...membersFrom(leader, LEADER_MEMBERS),
  ])
}

function membersFrom(
  source: JsonObject,
  wanted: readonly (readonly [string, Json | undefined])[],
): readonly (readonly [string, Printable])[] {
  return wanted.flatMap(([name, otherwise]) => {
    const value = source[name] ?? otherwise
    const empty = value === '' || value === 0 || value === false
    const leftOut = value === undefined || (otherwise === undefined && empty)
    return leftOut ? [] : [[name, value] as const]
  })
}
