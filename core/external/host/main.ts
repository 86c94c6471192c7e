/**
 * The process of an external plugin. The server starts it with the path of the plugin's module and a pipe at descriptor
 * 3; it ends when the pipe does.
 */
import { Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import type { PluginType } from '../../plugin/plugin.ts'
import { PROTOCOL } from '../protocol.ts'
import { Calls } from './calls.ts'
import { Conversation } from './conversation.ts'
import { provideContract } from './contract.ts'

const PIPE = 3

provideContract()
const [, , entry = ''] = process.argv
const module: unknown = await import(pathToFileURL(entry).href)
const type = pluginOf(typeof module === 'object' && module !== null ? module : {})
const pipe = new Socket({ fd: PIPE })
pipe.on('error', () => process.exit(1))
pipe.on('close', () => process.exit(0))
const conversation = new Conversation(pipe, new Calls(type))
conversation.say({ say: 'hello', protocol: PROTOCOL, kind: type.kind, help: type.help })

/** What the module exports as default, or else the one export that is a plugin. */
function pluginOf(module: object): PluginType {
  const exported = new Map<string, unknown>(Object.entries(module))
  const found = [exported.get('default'), ...exported.values()].find(isPluginType)
  if (found !== undefined) return found
  throw new Error('the module exports no plugin: { type, kind: "secret" or "auth", help, create }')
}

function isPluginType(value: unknown): value is PluginType {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    'kind' in value &&
    (value.kind === 'secret' || value.kind === 'auth') &&
    'help' in value &&
    typeof value.help === 'string' &&
    'create' in value &&
    typeof value.create === 'function'
  )
}
