/** What is stored of the audit log: its devices, and the request headers that it holds. */
import { z } from 'zod'
import { auditTableSchema, EMPTY_AUDIT_TABLE, type AuditTable } from './audit/table.ts'
import { DEFAULT_AUDITED_HEADERS, type AuditedHeaders } from './audit/facts.ts'
import { kind } from './store/kind.ts'
import type { View } from './store/view.ts'

const auditTables = kind<AuditTable>('audit-table', auditTableSchema)
const TABLE_KEY = 'audit/table'

export async function readAuditTable(root: View): Promise<AuditTable> {
  return (await root.get(auditTables, TABLE_KEY)) ?? EMPTY_AUDIT_TABLE
}

export function writeAuditTable(root: View, table: AuditTable): void {
  root.put(auditTables, TABLE_KEY, table)
}

const headerRecords = kind(
  'audited-headers',
  z.record(z.string(), z.object({ hmac: z.boolean() }).readonly()).readonly(),
)
type HeaderRecord = Readonly<Record<string, { readonly hmac: boolean }>>
const HEADERS_KEY = 'audit/headers'
const maps = new WeakMap<HeaderRecord, AuditedHeaders>()

/** hot: names in lower case. */
export async function readAuditedHeaders(root: View): Promise<AuditedHeaders> {
  const record = await root.get(headerRecords, HEADERS_KEY)
  if (record === undefined) return DEFAULT_AUDITED_HEADERS
  let map = maps.get(record)
  if (map === undefined) {
    map = new Map(Object.entries(record))
    maps.set(record, map)
  }
  return map
}

export function writeAuditedHeaders(root: View, headers: AuditedHeaders): void {
  root.put(headerRecords, HEADERS_KEY, Object.fromEntries(headers))
}
