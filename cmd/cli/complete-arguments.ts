/** What the first word of a command may be: fixed words, or what the server tells. */
import type { Json } from '../../core/json.ts'
import type { Connection } from '../client/connection.ts'
import { askData, listSecrets } from '../client/logical.ts'
import { listedKeys, objectOf, stringsOf, textOf } from '../client/secret.ts'
import { locate } from './kv/location.ts'

/** @param typed so far; @param mount of the flag `-mount`; @returns whole words */
type Ask = (
  connection: Connection,
  typed: string,
  mount: string | undefined,
) => Promise<readonly string[]>

const PLUGIN_TYPES = ['auth', 'database', 'secret']
const AUDIT_TYPES = ['file', 'http', 'socket', 'syslog']

const policies: Ask = (connection) => names(connection, 'sys/policies/acl')
const namespaces: Ask = (connection) => names(connection, 'sys/namespaces')
const secretMounts: Ask = async (connection) => Object.keys(await mounts(connection, 'secret'))
const authMounts: Ask = async (connection) => Object.keys(await mounts(connection, 'auth'))

const auditDevices: Ask = async (connection) =>
  Object.keys(await askData(connection, { method: 'GET', path: 'sys/audit' }))

const plugins =
  (type: 'auth' | 'secret'): Ask =>
  async (connection) => {
    const catalog = await askData(connection, { method: 'GET', path: 'sys/plugins/catalog' })
    return stringsOf(catalog[type]) ?? []
  }

/** Mounts first, then what each folder lists. */
const paths: Ask = async (connection, typed) => {
  const folder = folderOf(typed)
  if (folder !== '') return (await names(connection, folder)).map((name) => folder + name)
  const [secret, auth] = [
    await secretMounts(connection, '', ''),
    await authMounts(connection, '', ''),
  ]
  return [...secret, ...auth.map((path) => `auth/${path}`), 'sys/']
}

const kvPaths: Ask = async (connection, typed, mount) => {
  const folder = folderOf(typed)
  if (folder === '' && (mount ?? '') === '') {
    const all = Object.entries(await mounts(connection, 'secret'))
    return all.flatMap(([path, found]) =>
      textOf(objectOf(found)?.['type']) === 'kv' ? [path] : [],
    )
  }
  const location = await locate(connection, folder, mount)
  const listed = location.version === 2 ? location.below('metadata') : location.plain
  return (await names(connection, listed)).map((name) => folder + name)
}

/** By the name of the command. */
export const ARGUMENTS: Readonly<Record<string, Ask | readonly string[]>> = {
  'audit disable': auditDevices,
  'audit enable': AUDIT_TYPES,
  'auth disable': authMounts,
  'auth enable': plugins('auth'),
  'auth help': authMounts,
  'auth tune': authMounts,
  completion: ['bash', 'fish', 'zsh'],
  delete: paths,
  'kv delete': kvPaths,
  'kv destroy': kvPaths,
  'kv enable-versioning': secretMounts,
  'kv get': kvPaths,
  'kv list': kvPaths,
  'kv metadata delete': kvPaths,
  'kv metadata get': kvPaths,
  'kv metadata patch': kvPaths,
  'kv metadata put': kvPaths,
  'kv patch': kvPaths,
  'kv put': kvPaths,
  'kv rollback': kvPaths,
  'kv scan': kvPaths,
  'kv undelete': kvPaths,
  list: paths,
  'namespace delete': namespaces,
  'namespace lock': namespaces,
  'namespace lookup': namespaces,
  'namespace patch': namespaces,
  'namespace unlock': namespaces,
  patch: paths,
  'path-help': paths,
  'plugin deregister': PLUGIN_TYPES,
  'plugin info': PLUGIN_TYPES,
  'plugin list': PLUGIN_TYPES,
  'plugin register': PLUGIN_TYPES,
  'policy delete': policies,
  'policy read': policies,
  'policy write': policies,
  read: paths,
  scan: paths,
  'secrets disable': secretMounts,
  'secrets enable': plugins('secret'),
  'secrets move': secretMounts,
  'secrets tune': secretMounts,
  write: paths,
}

/** With the slash at its end. */
function folderOf(typed: string): string {
  return typed.slice(0, typed.lastIndexOf('/') + 1)
}

async function names(connection: Connection, path: string): Promise<readonly string[]> {
  const keys = listedKeys(await listSecrets(connection, path)) ?? []
  return keys.filter((key) => typeof key === 'string')
}

/** Those that the token can do something with. */
async function mounts(
  connection: Connection,
  kind: 'secret' | 'auth',
): Promise<Readonly<Record<string, Json>>> {
  const data = await askData(connection, { method: 'GET', path: 'sys/internal/ui/mounts' })
  return objectOf(data[kind]) ?? {}
}
