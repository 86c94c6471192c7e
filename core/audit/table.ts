/**
 * The table of audit devices as it is stored, under the barrier, and the pure changes to it. A device is never changed:
 * it is disabled, and enabled anew under another uuid and salt.
 */
import * as z from 'zod'
import { BadRequest } from '../errors.ts'
import type { Random } from '../random.ts'
import { texts } from '../store/kind.ts'

/** Of a device's HMAC; as long as its digest. */
const SALT_BYTES = 32

const auditDeviceSchema = z.object({
  /** With a trailing '/', as clients see it: `file/`. */
  path: z.string().endsWith('/'),
  type: z.string(),
  description: z.string(),
  /** As they were given, for reading back. */
  options: texts,
  local: z.boolean(),
  uuid: z.string(),
  accessor: z.string(),
  /** Base64 of the key of its HMACs: with it, guesses of hashed values could be tried. */
  salt: z.base64(),
})

export const auditTableSchema = z.object({
  version: z.literal(1),
  devices: z.array(auditDeviceSchema),
})

export type AuditDeviceRecord = Readonly<z.infer<typeof auditDeviceSchema>>
export interface AuditTable {
  readonly version: 1
  readonly devices: readonly AuditDeviceRecord[]
}

export const EMPTY_AUDIT_TABLE: AuditTable = { version: 1, devices: [] }

/** What an operator says of a device; `options` have passed `validateDevice`. */
export interface NewDevice {
  readonly path: string
  readonly type: string
  readonly description?: string | undefined
  readonly options: Readonly<Record<string, string>>
  readonly local?: boolean | undefined
}

export function newDevice(device: NewDevice, random: Random): AuditDeviceRecord {
  return {
    path: withSlash(device.path),
    type: device.type,
    description: device.description ?? '',
    options: { ...device.options },
    local: device.local ?? false,
    uuid: random.uuid(),
    accessor: `audit_${device.type}_${random.bytes(4).toString('hex')}`,
    salt: random.bytes(SALT_BYTES).toString('base64'),
  }
}

/** @throws {BadRequest} a device has this path, or one above or below it */
export function addDevice(table: AuditTable, device: AuditDeviceRecord): AuditTable {
  checkPathFree(table, device.path)
  const devices = [...table.devices, device].sort((a, b) => (a.path < b.path ? -1 : 1))
  return { version: 1, devices }
}

/** To ask before anything else of a device is looked at, as Vault does. @throws {BadRequest} the path is taken */
export function checkPathFree(table: AuditTable, path: string): void {
  const wanted = withSlash(path)
  const taken = table.devices.some(
    ({ path: used }) => used.startsWith(wanted) || wanted.startsWith(used),
  )
  if (taken) throw new BadRequest('path already in use')
}

/** The same table if there is no such device: disabling it again is no error. */
export function removeDevice(table: AuditTable, path: string): AuditTable {
  const devices = table.devices.filter((device) => device.path !== withSlash(path))
  return devices.length === table.devices.length ? table : { version: 1, devices }
}

export function findDevice(table: AuditTable, path: string): AuditDeviceRecord | undefined {
  return table.devices.find((device) => device.path === withSlash(path))
}

export function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}
