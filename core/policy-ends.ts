/**
 * The ends of policies that have one. Such a policy grants nothing and is not there from that instant, by the clock of
 * the request; a timed duty then removes its record. An index by time tells which ones have ended, so that a list of
 * thousands of policies need not read them all.
 */
import { z } from 'zod'
import { CorruptRecord } from './errors.ts'
import { isLiving, policyKey, policyRecords, type PolicyRecord } from './policies.ts'
import type { Witness } from './own-work.ts'
import { kind } from './store/kind.ts'
import type { View } from './store/view.ts'

const policyEnds = kind(
  'policy-end',
  z.object({ namespaceId: z.string(), name: z.string() }).readonly(),
)
const ENDS_PREFIX = 'policy-end/'
/** Digits of a time in the key: policies end before the year 10000. */
const TIME_DIGITS = 15
/** Ends that are read at once; each takes two changes of a step's commit. */
const PAGE = 100

/** Writes a policy, in the place of the one of that name. */
export async function writePolicy(
  root: View,
  namespaceId: string,
  record: PolicyRecord,
): Promise<void> {
  await removePolicy(root, namespaceId, record.name)
  root.put(policyRecords, policyKey(namespaceId, record.name), record)
  if (record.expiresAtMs === null) return
  const { name } = record
  root.put(policyEnds, endKey(record.expiresAtMs, namespaceId, name), { namespaceId, name })
}

/** Removes a policy, if it is there; a damaged record goes too. */
export async function removePolicy(root: View, namespaceId: string, name: string): Promise<void> {
  const key = policyKey(namespaceId, name)
  const atMs = await endOf(root, key)
  if (atMs !== null) root.delete(endKey(atMs, namespaceId, name))
  root.delete(key)
}

async function endOf(root: View, key: string): Promise<number | null> {
  try {
    return (await root.get(policyRecords, key))?.expiresAtMs ?? null
  } catch (error) {
    if (error instanceof CorruptRecord) return null
    throw error
  }
}

/** Names of the namespace's policies that have ended and are still stored. */
export async function endedPolicies(
  root: View,
  namespaceId: string,
  nowMs: number,
): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for (let after = ''; ;) {
    const due = await dueEnds(root, nowMs, after)
    for (const end of due) {
      const { namespaceId: id, name } = partsOf(end)
      if (id === namespaceId) names.add(name)
    }
    if (due.length < PAGE) return names
    after = due.at(-1) ?? ''
  }
}

/** One step. @returns whether more are due */
export async function removeEndedPolicies(
  root: View,
  nowMs: number,
  { report, tell }: Witness,
): Promise<boolean> {
  const due = await dueEnds(root, nowMs, '')
  for (const end of due) {
    const { namespaceId, name } = partsOf(end)
    const key = policyKey(namespaceId, name)
    try {
      // The listing may be older than the policy's last writing: its record decides.
      const record = await root.get(policyRecords, key)
      if (record !== undefined && !isLiving(record, nowMs)) {
        root.delete(key)
        tell({ operation: 'delete', namespaceId, path: `sys/policies/acl/${name}` })
      }
    } catch (error) {
      if (!(error instanceof CorruptRecord)) throw error
      report(error)
    }
    root.delete(ENDS_PREFIX + end)
  }
  return due.length === PAGE
}

async function dueEnds(root: View, nowMs: number, after: string): Promise<string[]> {
  const ends = await root.list(ENDS_PREFIX, { after, limit: PAGE })
  return ends.filter((end) => Number(end.slice(0, TIME_DIGITS)) <= nowMs)
}

/** Names of policies have no `%`, so that their folders can be written with it. */
function endKey(atMs: number, namespaceId: string, name: string): string {
  const time = String(Math.ceil(atMs)).padStart(TIME_DIGITS, '0')
  return `${ENDS_PREFIX}${time}.${namespaceId}.${name.replaceAll('/', '%2F')}`
}

function partsOf(end: string): { namespaceId: string; name: string } {
  const rest = end.slice(TIME_DIGITS + 1)
  const dot = rest.indexOf('.')
  return {
    namespaceId: rest.slice(0, dot),
    name: rest.slice(dot + 1).replaceAll('%2F', '/'),
  }
}
