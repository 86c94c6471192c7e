/** `api_addr`: that clients who are told it reach this node. */
import type { Check } from './check.ts'
import { failure, ok, warning, type Finding } from './finding.ts'
import type { ServerConfig } from '../server/config.ts'

const EXAMPLE = 'such as api_addr = "https://keyhold.example.org:8200"'

export const addressCheck: Check = {
  name: 'address',
  title: 'Address for clients',
  run: async ({ config }) => [judge(config)],
}

function judge({ apiAddress, running: { listeners } }: ServerConfig): Finding {
  if (apiAddress === undefined) {
    return warning(
      'api_addr is not set: clients that ask where the server is are told nothing',
      `write it, ${EXAMPLE}`,
    )
  }
  const url = URL.canParse(apiAddress) ? new URL(apiAddress) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    return failure(
      'api_addr is no URL that begins with https:// or http://',
      `write it, ${EXAMPLE}`,
    )
  }
  if (['0.0.0.0', '[::]'].includes(url.hostname)) {
    return failure(
      'api_addr names every address of a machine, and nobody can be sent there',
      'name the host as clients reach it',
    )
  }
  const tcp = listeners.filter(({ address }) => address.kind === 'tcp')
  const fits = tcp.some(({ tls }) => (tls === undefined) === (url.protocol === 'http:'))
  if (!fits && tcp.length > 0) {
    const speaks = url.protocol === 'https:' ? 'without TLS' : 'TLS'
    return warning(
      `api_addr begins with ${url.protocol}//, and all listeners speak ${speaks}`,
      'make them fit; where a proxy ends TLS before this server, leave it',
    )
  }
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port)
  if (!tcp.some(({ address }) => address.kind === 'tcp' && address.port === port)) {
    return warning(
      `no listener has the port ${port} of api_addr`,
      'make them fit; where a proxy stands before this server, leave it',
    )
  }
  return ok(`clients are told ${apiAddress}`)
}
