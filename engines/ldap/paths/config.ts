/** `config`: where the directory is, and who manages its accounts. */
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { BadRequest } from '../../../core/errors.ts'
import { boolean, duration, integer, string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import type { View } from '../../../core/store/view.ts'
import { CONFIG_KEY, configs, SCHEMAS, TLS_VERSIONS, type Config, type Schema } from '../records.ts'

const fields = {
  url: string('Addresses of the directory, with commas between: the first that answers is taken.'),
  binddn: string('Name of the account that manages the others.'),
  bindpass: string('Its password.'),
  schema: string(`What kind of directory: ${SCHEMAS.join(', ')}.`),
  userdn: string('Below which accounts are searched by their names.'),
  userattr: string('Attribute by which they are searched.'),
  upndomain: string('Binds as `binddn@upndomain`.'),
  password_policy: string('Password policy for the passwords that are made.'),
  length: integer('Length of the passwords that are made without a policy.').deprecated(),
  skip_static_role_import_rotation: boolean(
    'New static roles keep the password that their account has.',
  ),
  connection_timeout: duration('After which the next address is tried.'),
  request_timeout: duration('After which an operation is given up.'),
  starttls: boolean('Starts TLS on a connection to an `ldap://` address.'),
  insecure_tls: boolean('Does not verify the certificate of the directory.'),
  certificate: string('Authority of its certificate, in PEM.'),
  client_tls_cert: string('Certificate that is shown to it, in PEM.'),
  client_tls_key: string('Key of that certificate, in PEM.'),
  tls_min_version: string(`Lowest version of TLS: ${TLS_VERSIONS.join(', ')}.`),
  tls_max_version: string(`Highest version of TLS: ${TLS_VERSIONS.join(', ')}.`),
}
type ConfigRequest = Request<typeof fields>
type Sent = ConfigRequest['data']

const USER_ATTRIBUTES: Readonly<Record<Schema, string>> = {
  openldap: 'cn',
  ad: 'userPrincipalName',
  racf: 'racfid',
}
const ATTRIBUTE = /^[A-Za-z][A-Za-z0-9-]*$/
/** So that a directory that hangs never holds a request for longer than its own limit. */
const MAX_TIMEOUT_SECONDS = 60
const MAX_PASSWORD_LENGTH = 512

/** What a configuration has where nothing was sent. */
const DEFAULTS: Config = {
  urls: ['ldap://127.0.0.1'],
  bindDn: '',
  bindPassword: '',
  nextBindPassword: '',
  nextBindAtMs: 0,
  lastBindPassword: '',
  bindRotatedAtMs: 0,
  schema: 'openldap',
  userDn: '',
  userAttribute: '',
  upnDomain: '',
  passwordPolicy: '',
  passwordLength: 0,
  skipImportRotation: false,
  connectionTimeoutSeconds: 30,
  requestTimeoutSeconds: 60,
  startTls: false,
  insecureTls: false,
  tlsMinVersion: 'tls12',
  tlsMaxVersion: 'tls13',
  certificate: '',
  clientCertificate: '',
  clientKey: '',
}

export const configPath = path('config', {
  summary: 'Where the directory is, and who manages its accounts',
  description:
    'What is not sent stays as it is. Nothing is asked of the directory: a mistake shows when it is first used.',
  fields,
  exists: async ({ storage }) => (await storage.get(configs, CONFIG_KEY)) !== undefined,
  operations: { read: show, update: write, delete: ({ storage }) => storage.delete(CONFIG_KEY) },
  examples: [
    {
      summary: 'An OpenLDAP server',
      operation: 'update',
      path: 'config',
      request: {
        url: 'ldaps://ldap.example.org',
        binddn: 'cn=manager,dc=example,dc=org',
        bindpass: '...',
        userdn: 'ou=people,dc=example,dc=org',
      },
    },
  ],
})

/** @throws {BadRequest} there is none */
export async function demandConfig({
  storage,
}: {
  readonly storage: Pick<View, 'get'>
}): Promise<Config> {
  const config = await storage.get(configs, CONFIG_KEY)
  if (config === undefined) {
    throw new BadRequest('missing LDAP configuration: write it to config first')
  }
  return config
}

async function show({ storage }: ConfigRequest): Promise<Response | undefined> {
  const config = await storage.get(configs, CONFIG_KEY)
  if (config === undefined) return undefined
  const { passwordLength, passwordPolicy, bindRotatedAtMs } = config
  return {
    data: {
      url: config.urls.join(','),
      binddn: config.bindDn,
      schema: config.schema,
      userdn: config.userDn,
      userattr: config.userAttribute,
      upndomain: config.upnDomain,
      skip_static_role_import_rotation: config.skipImportRotation,
      connection_timeout: config.connectionTimeoutSeconds,
      request_timeout: config.requestTimeoutSeconds,
      starttls: config.startTls,
      insecure_tls: config.insecureTls,
      certificate: config.certificate,
      client_tls_cert: config.clientCertificate,
      tls_min_version: config.tlsMinVersion,
      tls_max_version: config.tlsMaxVersion,
      ...(passwordLength > 0 && { length: passwordLength }),
      ...(passwordPolicy !== '' && { password_policy: passwordPolicy }),
      ...(bindRotatedAtMs > 0 && {
        last_bind_password_rotation: new Date(bindRotatedAtMs).toISOString(),
      }),
    },
  }
}

async function write({ storage, data }: ConfigRequest): Promise<void> {
  const before = (await storage.get(configs, CONFIG_KEY)) ?? DEFAULTS
  const after = changed(before, data)
  check(after, data)
  storage.put(configs, CONFIG_KEY, after)
}

function changed(before: Config, data: Sent): Config {
  const schema = data.schema === undefined ? before.schema : schemaOf(data.schema)
  return {
    ...before,
    urls: data.url === undefined ? before.urls : urlsOf(data.url),
    bindDn: data.binddn ?? before.bindDn,
    ...(data.bindpass !== undefined && { bindPassword: data.bindpass, ...NO_OTHER_PASSWORD }),
    schema,
    userDn: data.userdn ?? before.userDn,
    userAttribute: firstFilled(data.userattr, before.userAttribute, USER_ATTRIBUTES[schema]),
    upnDomain: data.upndomain ?? before.upnDomain,
    passwordPolicy: data.password_policy ?? before.passwordPolicy,
    passwordLength: data.length ?? before.passwordLength,
    skipImportRotation: data.skip_static_role_import_rotation ?? before.skipImportRotation,
    connectionTimeoutSeconds: data.connection_timeout ?? before.connectionTimeoutSeconds,
    requestTimeoutSeconds: data.request_timeout ?? before.requestTimeoutSeconds,
    startTls: data.starttls ?? before.startTls,
    insecureTls: data.insecure_tls ?? before.insecureTls,
    certificate: data.certificate ?? before.certificate,
    clientCertificate: data.client_tls_cert ?? before.clientCertificate,
    clientKey: data.client_tls_key ?? before.clientKey,
    tlsMinVersion: tlsVersionOf('tls_min_version', data.tls_min_version, before.tlsMinVersion),
    tlsMaxVersion: tlsVersionOf('tls_max_version', data.tls_max_version, before.tlsMaxVersion),
  }
}

const firstFilled = (...texts: readonly (string | undefined)[]) =>
  texts.find((text) => text !== undefined && text !== '') ?? ''

/** Who sends a password knows it: those that a rotation left are of no use any more. */
const NO_OTHER_PASSWORD = { nextBindPassword: '', lastBindPassword: '', bindRotatedAtMs: 0 }

function check(config: Config, sent: Sent): void {
  if (config.bindDn === '' || config.bindPassword === '') {
    throw new BadRequest('cannot derive UserBindDN: binddn and bindpass are required')
  }
  if (config.passwordPolicy !== '' && config.passwordLength > 0) {
    throw new BadRequest("cannot set both 'password_policy' and 'length'")
  }
  if (config.passwordLength < 0 || config.passwordLength > MAX_PASSWORD_LENGTH) {
    throw new BadRequest(`length is from 0 to ${MAX_PASSWORD_LENGTH}`)
  }
  if (!ATTRIBUTE.test(config.userAttribute)) {
    throw new BadRequest('userattr is the name of one attribute, such as cn')
  }
  if (TLS_VERSIONS.indexOf(config.tlsMaxVersion) < TLS_VERSIONS.indexOf(config.tlsMinVersion)) {
    throw new BadRequest("'tls_max_version' must be greater than or equal to 'tls_min_version'")
  }
  checkSpan('connection_timeout', config.connectionTimeoutSeconds)
  checkSpan('request_timeout', config.requestTimeoutSeconds)
  if (sent.certificate) checkCertificate('certificate', sent.certificate)
  checkClientCertificate(config)
}

function checkSpan(field: string, seconds: number): void {
  if (seconds >= 1 && seconds <= MAX_TIMEOUT_SECONDS) return
  throw new BadRequest(`${field} is from 1 to ${MAX_TIMEOUT_SECONDS} seconds`)
}

function checkCertificate(field: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    // What OpenSSL says of it would tell the client nothing more.
    throw new BadRequest(`failed to parse ${field}: it must be an X.509 certificate in PEM`)
  }
}

function checkClientCertificate({ clientCertificate, clientKey }: Config): void {
  if (clientCertificate === '' && clientKey === '') return
  if (clientCertificate === '' || clientKey === '') {
    throw new BadRequest('both client_tls_cert and client_tls_key must be set')
  }
  const certificate = checkCertificate('client_tls_cert', clientCertificate)
  try {
    if (certificate.checkPrivateKey(createPrivateKey(clientKey))) return
  } catch {
    throw new BadRequest('failed to parse client_tls_key: it must be a private key in PEM')
  }
  throw new BadRequest('client_tls_key is not the key of client_tls_cert')
}

function schemaOf(text: string): Schema {
  const schema = SCHEMAS.find((known) => known === text)
  if (schema !== undefined) return schema
  throw new BadRequest(
    `the configured schema is not valid. Supported schemas: [${SCHEMAS.join(' ')}]`,
  )
}

function tlsVersionOf(
  field: string,
  text: string | undefined,
  before: Config['tlsMinVersion'],
): Config['tlsMinVersion'] {
  if (text === undefined) return before
  const version = TLS_VERSIONS.find((known) => known === text)
  if (version !== undefined) return version
  throw new BadRequest(`invalid '${field}': it is one of ${TLS_VERSIONS.join(', ')}`)
}

function urlsOf(text: string): string[] {
  const urls = text
    .toLowerCase()
    .split(',')
    .map((url) => url.trim())
    .filter((url) => url !== '')
  if (urls.length === 0) throw new BadRequest('at least one url must be provided')
  for (const url of urls) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    const isLdap = parsed?.protocol === 'ldap:' || parsed?.protocol === 'ldaps:'
    const isBare = parsed?.username === '' && /^\/?$/.test(parsed.pathname) && parsed.search === ''
    if (!isLdap || !isBare || parsed.hostname === '') {
      throw new BadRequest('url is ldap://HOST[:PORT] or ldaps://HOST[:PORT], or several of them')
    }
  }
  return urls
}
