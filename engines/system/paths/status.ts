/** Facts about this server: nodes, releases, machine, counters (contract: sys-auth.md, Tools, config, monitoring). */
import { statfs } from 'node:fs/promises'
import {
  arch,
  cpus,
  freemem,
  hostname,
  loadavg,
  platform,
  release,
  totalmem,
  uptime,
} from 'node:os'
import { RequestError } from '../../../core/errors.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import { tokenPrefix } from '../../../core/tokens/record.ts'
import { WIRE_VERSION } from '../../../core/version.ts'
import { noteRelease } from '../../../core/version-history.ts'

export interface StatusParts {
  /** As clients reach this node. */
  readonly apiAddress: string
  /** The configuration without anything secret. */
  readonly configuration: Readonly<Record<string, unknown>>
}

export function statusPaths(parts: StatusParts) {
  return [
    path('ha-status', {
      summary: 'The nodes; this one knows itself only, for each serves alone',
      operations: {
        read: () => ({
          data: {
            nodes: [
              {
                hostname: hostname(),
                api_address: parts.apiAddress,
                cluster_address: '',
                active_node: true,
                last_echo: null,
                version: WIRE_VERSION,
              },
            ],
          },
        }),
      },
    }),
    path('version-history', {
      summary: 'The releases that ran over this storage',
      operations: { list: showReleases },
    }),
    path('locked-users', {
      summary:
        'The users that are locked out for wrong passwords; no method of this release does so',
      operations: { read: showLockedUsers },
    }),
    path('host-info', {
      rootOnly: true,
      summary: 'The machine that this node runs on',
      operations: { read: async ({ nowMs }) => ({ data: await hostInfo(nowMs) }) },
    }),
    path('config/state/sanitized', {
      rootOnly: true,
      summary: 'The configuration without its secrets',
      operations: { read: () => ({ data: parts.configuration }) },
    }),
    path('internal/counters/tokens', {
      summary: 'How many service tokens there are',
      operations: { read: countTokens },
    }),
    path('internal/counters/entities', {
      summary: 'How many entities there are',
      operations: { read: () => ({ data: { counters: { entities: { total: 0 } } } }) },
    }),
    path('internal/counters/requests', {
      summary: 'Removed, as in Vault',
      operations: {
        read: () => {
          throw new RequestError(404, 'The functionality has been removed on this path')
        },
      },
    }),
    path('replication/status', {
      rootOnly: true,
      summary: 'There is no replication: every node serves from the one storage',
      unauthenticated: true,
      operations: {
        read: () => {
          throw new RequestError(404, 'unsupported path')
        },
      },
    }),
  ]
}

async function showReleases({ storage, nowMs }: Request) {
  const releases = await noteRelease(storage, WIRE_VERSION, nowMs)
  const info = releases.map(({ version, firstSeenAtMs }, index) => {
    const installed = {
      timestamp_installed: new Date(firstSeenAtMs),
      commit_date: '',
      previous_version: releases[index - 1]?.version ?? null,
    }
    return [version, installed] as const
  })
  return {
    data: { keys: releases.map(({ version }) => version), key_info: Object.fromEntries(info) },
  }
}

function showLockedUsers({ namespace }: Request) {
  const nobody = { counts: 0, mount_accessors: [] }
  const where = { namespace_id: namespace.id, namespace_path: namespace.path }
  return { data: { by_namespace: [{ ...where, ...nobody }], total: 0 } }
}

/** Names that one page of the count holds in memory. */
const PAGE = 10_000

async function countTokens({ storage, namespace }: Request) {
  let total = 0
  for (let after = ''; ;) {
    const page = await storage.list(tokenPrefix(namespace.id), { after, limit: PAGE })
    total += page.length
    const last = page.at(-1)
    if (page.length < PAGE || last === undefined) break
    after = last
  }
  return { data: { counters: { service_tokens: { total } } } }
}

async function hostInfo(nowMs: number): Promise<Record<string, unknown>> {
  const [one, five, fifteen] = loadavg()
  return {
    timestamp: new Date(nowMs),
    cpu: cpus().map(({ model, speed }, cpu) => ({ cpu, modelName: model, mhz: speed })),
    cpu_times: cpus().map(({ times }, cpu) => ({
      cpu: `cpu${cpu}`,
      user: times.user / 1000,
      system: times.sys / 1000,
      idle: times.idle / 1000,
      nice: times.nice / 1000,
      irq: times.irq / 1000,
    })),
    disk: [await rootDisk()],
    host: {
      hostname: hostname(),
      os: platform(),
      kernelArch: arch(),
      kernelVersion: release(),
      uptime: Math.floor(uptime()),
    },
    load: { load1: one, load5: five, load15: fifteen },
    memory: { total: totalmem(), available: freemem() },
  }
}

async function rootDisk(): Promise<Record<string, unknown>> {
  const { blocks, bfree, bavail, bsize, files, ffree } = await statfs('/')
  const used = (blocks - bfree) * bsize
  return {
    path: '/',
    total: blocks * bsize,
    free: bavail * bsize,
    used,
    inodesTotal: files,
    inodesFree: ffree,
  }
}
