/**
 * The upgrade of a mount from version 1. The commit that upgrades writes one record, however much the mount holds: a
 * value that lies there still is version 1 of its key, for whoever reads or lists it, and becomes so in the storage when
 * the key is changed or when the periodic work comes by. So the mount never stops serving, and a crash leaves nothing
 * half done.
 */
import type { Plugin } from '../../../core/plugin/plugin.ts'
import { scanSome } from '../scan.ts'
import { VALUE_PREFIX } from '../v1/records.ts'
import { readConfig } from './config.ts'
import { openKey } from './keys.ts'
import { CONFIG_KEY, configs } from './records.ts'
import { readUnversioned } from './unversioned.ts'

/** Values that one step takes over; each takes three changes of its commit. */
const PAGE = 200
/** Their text together, about: with one more of the largest it still fits a commit. */
const PAGE_BYTES = 8 * 1024 * 1024

export const upgrade: NonNullable<Plugin['upgrade']> = async ({ storage, nowMs, from }) => {
  if (from['version'] !== '2') {
    storage.put(configs, CONFIG_KEY, { ...(await readConfig(storage)), upgradedAtMs: nowMs })
  }
  return { warnings: [] }
}

/** One step. @returns whether there is more to do */
export const adoptSome: NonNullable<Plugin['periodic']> = async (context) => {
  const { storage } = context
  const { upgradedAtMs, ...config } = await readConfig(storage)
  if (upgradedAtMs === undefined) return false
  const list = (folder: string) => storage.list(VALUE_PREFIX + folder, { limit: PAGE })
  const paths = await scanSome(list, PAGE)
  let bytes = 0
  for (const path of paths) {
    if (bytes > PAGE_BYTES) break
    bytes += Buffer.byteLength(JSON.stringify(await readUnversioned(storage, path)))
    await openKey(context, path)
  }
  if (paths.length === 0) storage.put(configs, CONFIG_KEY, config)
  return paths.length > 0
}
