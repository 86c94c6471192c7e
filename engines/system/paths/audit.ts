/** `sys/audit`, `sys/audit-hash` and the request headers that the audit log holds (contract: sys-auth.md). */
import type { AuditBroker } from '../../../core/audit/broker.ts'
import { publicKeyText, signingKey } from '../../../core/audit/chain/keys.ts'
import { modeNotice } from '../../../core/audit/mode.ts'
import {
  hasFilter,
  isChained,
  isFallback,
  validateDevice,
  type AuditConfig,
} from '../../../core/audit/options.ts'
import {
  addDevice,
  checkPathFree,
  newDevice,
  removeDevice,
  type AuditDeviceRecord,
  type AuditTable,
} from '../../../core/audit/table.ts'
import {
  readAuditedHeaders,
  readAuditTable,
  writeAuditedHeaders,
  writeAuditTable,
} from '../../../core/audit-records.ts'
import { BadRequest } from '../../../core/errors.ts'
import { boolean, keyValues, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'

export interface AuditSettings {
  readonly device: AuditConfig
  /** False: devices come from the configuration alone. */
  readonly allowApiCreation: boolean
}

const deviceFields = {
  path: string('Name of the device.').default(''),
  type: string('Type of the device: `file`, `socket`, `syslog` or `http`.').default(''),
  description: string('What it is for.'),
  options: keyValues('Settings of the device.').default({}),
  local: boolean('Kept for compatibility.'),
}
const hashFields = {
  path: string('Name of the device.').default(''),
  input: string('Text to hash.').default(''),
}
const headerFields = {
  header: string('Name of the header; upper and lower case are the same.').default(''),
  hmac: boolean('Whether its values are hashed.').default(false),
}

/** @param warn tells the operator, in the server's log */
export function auditPaths(
  broker: AuditBroker,
  settings: AuditSettings,
  warn: (text: string) => void,
) {
  return [
    path('audit', {
      rootOnly: true,
      summary: 'The audit devices',
      sudo: true,
      operations: { read: ({ storage }) => listDevices(storage) },
    }),
    path('audit/:path*', {
      rootOnly: true,
      summary: 'Enables and disables an audit device',
      sudo: true,
      fields: deviceFields,
      operations: {
        update: (request) => enable(request, { broker, settings, warn }),
        delete: ({ storage, data }) => disable(storage, { broker, warn }, data.path),
      },
    }),
    path('audit-hash/:path*', {
      rootOnly: true,
      summary: 'What a text reads as in the log of a device',
      fields: hashFields,
      operations: {
        update: ({ data }) => ({ data: { hash: broker.hash(data.path, data.input) } }),
      },
    }),
    path('config/auditing/request-headers', {
      rootOnly: true,
      summary: 'The request headers that the audit log holds',
      sudo: true,
      operations: {
        read: async ({ storage }) => ({
          data: { headers: Object.fromEntries(await readAuditedHeaders(storage)) },
        }),
      },
    }),
    path('config/auditing/request-headers/:header*', {
      rootOnly: true,
      summary: 'A request header that the audit log holds',
      sudo: true,
      fields: headerFields,
      operations: { read: showHeader, update: writeHeader, delete: deleteHeader },
    }),
  ]
}

async function listDevices(root: Request['storage']): Promise<Response> {
  const { devices } = await readAuditTable(root)
  return {
    data: Object.fromEntries(
      devices.map((device) => {
        const { path: name, type, description, options, local } = device
        return [name, { path: name, type, description, options, local, ...chainKey(device) }]
      }),
    ),
  }
}

/** What those verify with who have the files of a device with `chain`. */
function chainKey({ options, salt, type }: AuditDeviceRecord): { chain_public_key?: string } {
  if (type !== 'file' || !isChained(options)) return {}
  return { chain_public_key: publicKeyText(signingKey(Buffer.from(salt, 'base64'))) }
}

interface Enabling {
  readonly broker: AuditBroker
  readonly settings: AuditSettings
  readonly warn: (text: string) => void
}

/** The recorded answer to a mode with other bits than it gets is an empty one: the log, and the command line, say it. */
async function enable(
  { storage, data, random }: Request<typeof deviceFields>,
  { broker, settings, warn }: Enabling,
): Promise<Response> {
  if (!settings.allowApiCreation) {
    throw new BadRequest(
      'cannot enable audit device via API; use declarative, config-based audit device management instead',
    )
  }
  const table = await readAuditTable(storage)
  checkPathFree(table, data.path)
  validateDevice(data.type, data.options, settings.device)
  demandOneFallback(table, data.options)
  const device = newDevice(data, random)
  if (device.options['skip_test'] !== 'true') await broker.test(device)
  const notice = device.type === 'file' ? modeNotice(device.options['mode']) : undefined
  const changed = addDevice(table, device)
  return change(storage, broker, changed, () => {
    if (notice !== undefined) warn(`audit: ${device.path}: ${notice}`)
    if (leavesGaps(changed)) warn(`audit: ${GAPS}`)
  })
}

function demandOneFallback({ devices }: AuditTable, options: AuditDeviceRecord['options']): void {
  if (isFallback(options) && devices.some((device) => isFallback(device.options))) {
    throw new BadRequest('cannot enable a second fallback device: there is one already')
  }
}

/** Whether there are entries that no device gets. */
function leavesGaps({ devices }: AuditTable): boolean {
  return devices.length > 0 && devices.every(({ options }) => hasFilter(options))
}

const GAPS =
  'every device has a filter, so what no filter lets through is recorded nowhere: enable a device with fallback=true'

/** From the answer to this request on, the log has the devices of the table. */
function change(
  root: Request['storage'],
  broker: AuditBroker,
  table: AuditTable,
  tell = (): void => undefined,
): Response {
  writeAuditTable(root, table)
  return {
    async afterwards() {
      broker.sync(table)
      tell()
    },
  }
}

async function disable(
  root: Request['storage'],
  { broker, warn }: Pick<Enabling, 'broker' | 'warn'>,
  name: string,
): Promise<Response | undefined> {
  const table = await readAuditTable(root)
  const left = removeDevice(table, name)
  if (left === table) return undefined
  return change(root, broker, left, () => {
    if (leavesGaps(left)) warn(`audit: ${GAPS}`)
  })
}

type HeaderRequest = Request<typeof headerFields>

async function showHeader({ storage, data }: HeaderRequest): Promise<Response> {
  const found = (await readAuditedHeaders(storage)).get(data.header.toLowerCase())
  if (found === undefined) throw new BadRequest('Could not find header in config')
  return { data: { [data.header]: { hmac: found.hmac } } }
}

async function writeHeader({ storage, data }: HeaderRequest): Promise<undefined> {
  const headers = new Map(await readAuditedHeaders(storage))
  headers.set(data.header.toLowerCase(), { hmac: data.hmac })
  writeAuditedHeaders(storage, headers)
}

async function deleteHeader({ storage, data }: HeaderRequest): Promise<undefined> {
  const headers = new Map(await readAuditedHeaders(storage))
  headers.delete(data.header.toLowerCase())
  writeAuditedHeaders(storage, headers)
}
