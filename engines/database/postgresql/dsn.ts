/** PostgreSQL's connection strings: `postgresql://…` with one or more hosts, or `key=value` pairs, as libpq reads them. */
import { BadRequest } from '../../../core/errors.ts'

export interface Dsn {
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly database: string
  /** Those in the string itself; empty: none. */
  readonly user: string
  readonly password: string
  /** All else, by libpq's names. */
  readonly options: ReadonlyMap<string, string>
}

const DEFAULT_PORT = 5432
const MAX_HOSTS = 16

/** @throws {BadRequest} it is neither; never repeats anything of it */
export function parseDsn(text: string): Dsn {
  return isUri(text) ? parseUri(text) : parsePairs(text)
}

export const isUri = (text: string) => /^postgres(?:ql)?:\/\//.test(text)

const URI = /^postgres(?:ql)?:\/\/(?:([^/?@]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s

function parseUri(text: string): Dsn {
  const match = URI.exec(text)
  if (match === null) throw new BadRequest('unable to parse connection url')
  const [, login = '', hosts = '', database = '', query = ''] = match
  const colon = login.indexOf(':')
  const options = new Map<string, string>()
  for (const pair of query.split('&').filter((one) => one !== '')) {
    const at = pair.indexOf('=')
    options.set(decode(at < 0 ? pair : pair.slice(0, at)), decode(at < 0 ? '' : pair.slice(at + 1)))
  }
  return dsnOf(options, {
    user: decode(colon < 0 ? login : login.slice(0, colon)),
    password: colon < 0 ? '' : decode(login.slice(colon + 1)),
    database: decode(database),
    hosts: hosts === '' ? [] : hosts.split(',').map(hostOf),
  })
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) throw new BadRequest('unable to parse connection url')
    throw error
  }
}

function hostOf(text: string): { host: string; port: number } {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:]*)(?::(\d{1,5}))?$/.exec(text)
  if (match === null) throw new BadRequest('unable to parse connection url')
  const [, host = '', port = String(DEFAULT_PORT)] = match
  return { host: decode(host).replace(/^\[(.*)\]$/, '$1') || 'localhost', port: Number(port) }
}

const PAIR = /\s*([A-Za-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?:\s+|$)/y

function parsePairs(text: string): Dsn {
  const options = new Map<string, string>()
  for (PAIR.lastIndex = 0; PAIR.lastIndex < text.length;) {
    const match = PAIR.exec(text)
    if (match === null)
      throw new BadRequest(
        'cannot parse connection url: it is neither a URI nor pairs of key=value',
      )
    const [, key = '', quoted, bare = ''] = match
    options.set(key, (quoted ?? bare).replaceAll(/\\(.)/g, '$1'))
  }
  return dsnOf(options, { user: '', password: '', database: '', hosts: [] })
}

/** What the pairs of a query or a `key=value` string say themselves goes before the rest of the string. */
function dsnOf(
  options: Map<string, string>,
  fallback: Pick<Dsn, 'user' | 'password' | 'database' | 'hosts'>,
): Dsn {
  const take = (...names: readonly string[]) => {
    const name = names.find((one) => options.has(one))
    const value = name === undefined ? undefined : options.get(name)
    for (const one of names) options.delete(one)
    return value
  }
  const hosts = take('host', 'hostaddr')?.split(',')
  const ports = take('port')?.split(',')
  const given = hosts?.map((host, i) => ({
    host: host || 'localhost',
    port: Number(ports?.[i] ?? ports?.[0] ?? DEFAULT_PORT),
  }))
  const found = given ?? fallback.hosts
  const all = found.length === 0 ? [{ host: 'localhost', port: DEFAULT_PORT }] : found
  if (all.length > MAX_HOSTS || all.some(({ port }) => !(port >= 1 && port <= 65_535))) {
    throw new BadRequest('the connection url has a port that is none, or too many hosts')
  }
  const user = take('user') ?? fallback.user
  return {
    hosts: all,
    user,
    password: take('password') ?? fallback.password,
    database: take('dbname', 'database') ?? (fallback.database || user),
    options,
  }
}
