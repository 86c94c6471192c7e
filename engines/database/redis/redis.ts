/** Redis and Valkey, whose users are those of their ACL (contract: engines-db-pki.md, A2.2 and A3.1). */
import { BadRequest } from '../../../core/errors.ts'
import type { JsonObject } from '../../../core/json.ts'
import { usernameTemplate } from '../../../core/plugin/username-template.ts'
import type { Database } from '../database.ts'
import { booleanDetail, integerDetail, poolLimits, textDetail } from '../details.ts'
import { RedisClient, type RedisAddress } from './client.ts'
import { redisFailure, RedisSession } from './session.ts'

/** As Vault's, but that long names of tokens and roles cannot push the random part out of the 100 characters. */
const USERNAMES = usernameTemplate(
  'V{{ if .DisplayName }}_{{ .DisplayName | truncate 30 | uppercase }}{{ end }}_{{ .RoleName | truncate 30 | uppercase }}_{{ random 20 | uppercase }}_{{ unix_time }}',
)
const DEFAULT_PORT = 6379

interface Login extends RedisAddress {
  readonly username: string
  readonly password: string
}

export const redis: Database = {
  credentialTypes: new Set(['password']),
  needsCreationStatements: false,
  usernames: () => USERNAMES,
  read(details) {
    const limits = poolLimits(details)
    const login = loginOf(details)
    return { limits, connect: (signal) => connect(login, signal) }
  },
}

function loginOf(details: JsonObject): Login {
  const username = textDetail(details, 'username')
  const password = textDetail(details, 'password')
  const url = textDetail(details, 'connection_url')
  const host = textDetail(details, 'host')
  if (url !== '' && (host !== '' || details['port'] !== undefined)) {
    throw new BadRequest('cannot specify both connection_url and individual connection parameters')
  }
  if (url !== '')
    return { ...addressOfUrl(url, details), ...loginInUrl(url, { username, password }) }
  const port = integerDetail(details, 'port')
  return { host, port, ...tlsOf(booleanDetail(details, 'tls'), details), username, password }
}

function addressOfUrl(text: string, details: JsonObject): RedisAddress {
  const url = URL.parse(text.replaceAll(/\{\{(?:username|password)\}\}/g, 'x'))
  const isSecure = url?.protocol === 'rediss:' || url?.protocol === 'valkeys:'
  if (url === null || !(isSecure || url.protocol === 'redis:' || url.protocol === 'valkey:')) {
    throw new BadRequest('connection_url is like valkey://host:6379, or valkeys:// with TLS')
  }
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port)
  const isTls = isSecure || booleanDetail(details, 'tls')
  return { host: url.hostname, port, ...tlsOf(isTls, details, isSecure) }
}

/** A login in the string counts where none is beside it. */
function loginInUrl(text: string, beside: { username: string; password: string }) {
  const url = URL.parse(text)
  const inside = (part: string) =>
    part.includes('{{') || part.includes('%7B') ? '' : decodeURIComponent(part)
  return {
    username: beside.username || inside(url?.username ?? ''),
    password: beside.password || inside(url?.password ?? ''),
  }
}

function tlsOf(isTls: boolean, details: JsonObject, byScheme = false): Pick<RedisAddress, 'tls'> {
  if (!isTls) return {}
  const ca = textDetail(details, 'ca_cert')
  const isInsecure = booleanDetail(details, 'insecure_tls')
  if (ca === '' && !isInsecure && !byScheme) {
    throw new BadRequest('ca_cert is required where tls is true')
  }
  return { tls: { rejectUnauthorized: !isInsecure, ...(ca !== '' && { ca }) } }
}

async function connect(login: Login, signal: AbortSignal): Promise<RedisSession> {
  const { host, port, username, password } = login
  const missing = Object.entries({ host, username, password, port: port > 0 ? 'set' : '' })
    .filter(([, value]) => value === '')
    .map(([name]) => name)
  if (missing.length > 0) throw new BadRequest(`${missing.join(', ')} cannot be empty`)
  try {
    const client = await RedisClient.connect(login, signal)
    const cut = () => client.close()
    signal.addEventListener('abort', cut)
    try {
      await client.send('AUTH', username, password)
    } catch (error) {
      client.close()
      throw error
    } finally {
      signal.removeEventListener('abort', cut)
    }
    return new RedisSession(client)
  } catch (error) {
    signal.throwIfAborted()
    throw redisFailure(error, 'failed to connect: ', [password])
  }
}
