/** MySQL's connection strings, as Go's driver has them: `user:password@tcp(host:3306,other)/database?tls=true`. */
import { BadRequest } from '../../../core/errors.ts'
import type { ConnectionUrl } from '../details.ts'

export interface MysqlDsn {
  readonly user: string
  readonly password: string
  /** Tried in order; a path is a socket of this machine. */
  readonly hosts: readonly (
    | { readonly host: string; readonly port: number }
    | { readonly path: string }
  )[]
  readonly database: string
  /** Of the parameter `tls`; empty: not given. */
  readonly tls: string
}

const DEFAULT_PORT = 3306
const DSN = /^(?:([^@]*)@)?(?:(tcp|unix)(?:\(([^)]*)\))?)?\/([^?]*)(?:\?(.*))?$/s
const LOGIN = /^([^:]*)(?::(.*))?$/s

/** The login stands in the places for it as it is, whatever is in it. @throws {BadRequest} it is none; repeats nothing of it */
export function parseMysqlDsn({ url, username, password }: ConnectionUrl): MysqlDsn {
  const at = url.lastIndexOf('@')
  const match = DSN.exec(at < 0 ? url : `login${url.slice(at)}`)
  const login = LOGIN.exec(at < 0 ? '' : url.slice(0, at))
  if (match === null || login === null) {
    throw new BadRequest(
      'unable to parse connection url: it is like user:password@tcp(host:3306)/database',
    )
  }
  const [, , protocol = 'tcp', address = '', database = '', query = ''] = match
  const fill = (text = '') =>
    text.replaceAll('{{username}}', () => username).replaceAll('{{password}}', () => password)
  return {
    user: fill(login[1]) || username,
    password: fill(login[2]) || password,
    hosts: protocol === 'unix' ? [{ path: address }] : hostsOf(address),
    database,
    tls: new URLSearchParams(query).get('tls') ?? '',
  }
}

function hostsOf(address: string): { host: string; port: number }[] {
  return (address === '' ? 'localhost' : address).split(',').map((one) => {
    const match = /^(\[[0-9a-fA-F:.]+\]|[^:]*)(?::(\d{1,5}))?$/.exec(one.trim())
    const port = Number(match?.[2] ?? DEFAULT_PORT)
    if (match === null || port < 1 || port > 65_535) {
      throw new BadRequest('the connection url has a host or port that is none')
    }
    return { host: (match[1] ?? '').replace(/^\[(.*)\]$/, '$1') || 'localhost', port }
  })
}
