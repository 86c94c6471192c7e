/** Transit: encryption as a service. Keys never leave; data comes and goes (contract: engines-core.md, part 2). */
import type { PluginType } from '../../core/plugin/plugin.ts'
import { toolPaths } from '../../core/plugin/tools.ts'
import { backupPaths } from './paths/backup.ts'
import { cmacPath } from './paths/cmac.ts'
import { configPaths } from './paths/config.ts'
import { dataKeyPairPath } from './paths/datakey-pair.ts'
import { dataKeyPaths } from './paths/datakey.ts'
import { csrPaths } from './paths/csr.ts'
import { deriveKeyPath } from './paths/derive-key.ts'
import { cipherPaths } from './paths/encrypt.ts'
import { exportPaths } from './paths/export.ts'
import { importPaths } from './paths/import.ts'
import { keyPaths } from './paths/keys.ts'
import { lifecyclePaths } from './paths/lifecycle.ts'
import { sharedSecretPath } from './paths/shared-secret.ts'
import { signPaths } from './paths/sign.ts'
import { usagePaths } from './paths/usage.ts'
import { doTimedWork } from './timed.ts'

const paths = [
  ...keyPaths,
  ...configPaths,
  ...lifecyclePaths,
  ...cipherPaths,
  ...dataKeyPaths,
  dataKeyPairPath,
  ...signPaths,
  cmacPath,
  ...exportPaths,
  ...importPaths,
  ...backupPaths,
  deriveKeyPath,
  sharedSecretPath,
  ...csrPaths,
  ...usagePaths,
  ...toolPaths(''),
]

export const transitEngine: PluginType = {
  type: 'transit',
  kind: 'secret',
  help: 'Encrypts, decrypts, signs and verifies with keys that never leave the server.',
  create: () => ({ paths, periodic: doTimedWork }),
}
