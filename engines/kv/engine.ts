/** Key-value secrets: version 1 keeps the last value of a key, version 2 several (contract: engines-core.md, part 1). */
import { BadRequest } from '../../core/errors.ts'
import type { Plugin, PluginType } from '../../core/plugin/plugin.ts'
import { valuePath } from './v1/paths/value.ts'
import { configPath } from './v2/paths/config.ts'
import { dataPath } from './v2/paths/data.ts'
import { deletePath } from './v2/paths/delete.ts'
import { destroyPath } from './v2/paths/destroy.ts'
import { detailedMetadataPath } from './v2/paths/detailed-metadata.ts'
import { metadataPath } from './v2/paths/metadata.ts'
import { subkeysPath } from './v2/paths/subkeys.ts'
import { undeletePath } from './v2/paths/undelete.ts'
import { wrongPath } from './v2/paths/wrong-path.ts'
import { adoptSome, upgrade } from './v2/upgrade.ts'

const unversioned: Plugin = { paths: [valuePath] }

const versioned: Plugin = {
  paths: [
    configPath,
    dataPath,
    metadataPath,
    detailedMetadataPath,
    subkeysPath,
    deletePath,
    undeletePath,
    destroyPath,
    wrongPath,
  ],
  upgrade,
  periodic: adoptSome,
}

export const kvEngine: PluginType = {
  type: 'kv',
  kind: 'secret',
  help:
    'Secrets that people and programs write and read. Version 1 of the engine keeps the last value of a key; ' +
    'version 2 keeps several, which can be deleted, restored and destroyed one by one.',
  create({ version = '' }) {
    if (version === '' || version === '1') return unversioned
    if (version === '2') return versioned
    throw new BadRequest('nil backend of type "kv" returned from factory')
  },
}
