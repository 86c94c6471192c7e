/** The settings of a mount. */
import type { View } from '../../../core/store/view.ts'
import { CONFIG_KEY, configs, type Config } from './records.ts'

const DEFAULT_CONFIG: Config = Object.freeze({
  maxVersions: 0,
  casRequired: false,
  metadataCasRequired: false,
  deleteVersionAfterSeconds: 0,
})

export async function readConfig(storage: View): Promise<Config> {
  return (await storage.get(configs, CONFIG_KEY)) ?? DEFAULT_CONFIG
}
