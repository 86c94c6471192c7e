/**
 * The server of `plugins.ts`: the engine of `docs/plugins.md` twice, as a built-in one and as an external plugin.
 *
 * Arguments: the port, the built-in engine's module, the plugin directory. Prints a line when it is ready.
 */
import { pathToFileURL } from 'node:url'
import { devConfig, prepareDev } from '../../cmd/server/dev.ts'
import { openLog } from '../../cmd/server/log.ts'
import { RunningServer } from '../../cmd/server/running.ts'
import type { PluginType } from '../../core/plugin/plugin.ts'

const [port = '', module = '', directory = ''] = process.argv.slice(2)
const { tallyEngine }: { tallyEngine: PluginType } = await import(pathToFileURL(module).href)
const config = devConfig(
  { kind: 'tcp', host: '127.0.0.1', port: Number(port) },
  { folder: directory, files: undefined },
)
const server = await RunningServer.start(
  {
    ...config,
    storage: { type: 'inmem' },
    plugins: [tallyEngine],
    externalPlugins: { directory },
  },
  openLog({ level: 'error', format: 'standard' }),
)
await prepareDev(server.node, { rootTokenId: 'root' })
process.stdout.write('ready\n')
