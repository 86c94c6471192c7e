/** `reset/:name` and `reload/:plugin_name`: connections made anew (contract: engines-db-pki.md, A1). */
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Connections } from '../connections.ts'
import { DatabaseError, nothingDone, prefixed } from '../errors.ts'
import { CONFIG_PREFIX, configs, findConfig, readConfig } from '../records.ts'

export const resetPaths = (connections: Connections) => [
  path('reset/:name', {
    summary: 'Closes the connections of a database and connects anew',
    fields: { name: string('Name of the connection.').default('') },
    operations: {
      async update({ storage, data, mount }) {
        const config = await readConfig(storage, data.name)
        const at = { mountUuid: mount.uuid, name: data.name }
        return {
          effect: {
            type: 'connection',
            internal: {},
            async act(signal) {
              connections.drop(at)
              try {
                await connections.use(at, config, signal, (session) => session.ping())
              } catch (error) {
                if (!(error instanceof DatabaseError)) throw error
                throw nothingDone(prefixed('error verifying connection: ', error))
              }
              return () => undefined
            },
          },
        }
      },
    },
  }),
  path('reload/:plugin_name', {
    summary: 'Has all connections to databases of a kind made anew, on every node',
    fields: { plugin_name: string('Kind of the database.').default('') },
    operations: {
      async update({ storage, data, random }) {
        const reloaded: string[] = []
        for (const name of await storage.list(CONFIG_PREFIX)) {
          const config = await findConfig(storage, name)
          if (config?.pluginName !== data.plugin_name) continue
          storage.put(configs, CONFIG_PREFIX + name, { ...config, generation: random.uuid() })
          reloaded.push(name)
        }
        return { data: { connections: reloaded, count: reloaded.length } }
      },
    },
  }),
]
