/** A real OpenLDAP server, with a small directory, for a test. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Attribute, Change, Client, InvalidCredentialsError } from 'ldapts'
import { testCertificate } from '../../core/http/testing/certificate.ts'
import { freePort } from './free-port.ts'
import { missing } from './outside.ts'
import { startTemporary, type TemporaryServer } from './temporary-server.ts'

const PROGRAM = '/usr/sbin/slapd'

export const SUFFIX = 'dc=example,dc=org'
export const PEOPLE = `ou=people,${SUFFIX}`
const ROOT = { dn: `cn=admin,${SUFFIX}`, password: 'roots-password-1' }
/** Stands in the directory, and may do anything: an account whose own password can be rotated. */
export const MANAGER = { dn: `cn=manager,${SUFFIX}`, password: 'managers-password-1' }

export interface LdapServer extends TemporaryServer {
  /** `ldap://127.0.0.1:PORT` */
  readonly url: string
  /** `ldaps://127.0.0.1:PORT` */
  readonly secureUrl: string
  /** PEM of the authority that signed the server's certificate. */
  readonly authority: string
  /** Whether this password is right for that entry. */
  canBind(dn: string, password: string): Promise<boolean>
  /** Values of an attribute of an entry, as bytes; empty: it has none, or is not there. */
  valuesOf(dn: string, attribute: string): Promise<Buffer[]>
  /** The entries one level below, by their DNs. */
  below(dn: string): Promise<string[]>
  setPassword(dn: string, password: string): Promise<void>
  /** Adds a person. @returns its DN */
  addPerson(name: string, attributes?: Readonly<Record<string, string>>): Promise<string>
}

/** @returns why to skip, or undefined if it is installed */
export function missingLdap(): string | undefined {
  return existsSync(PROGRAM) ? undefined : missing('install slapd')
}

export async function startLdap(): Promise<LdapServer> {
  const port = await freePort()
  const securePort = await freePort()
  const url = `ldap://127.0.0.1:${port}`
  const secureUrl = `ldaps://127.0.0.1:${securePort}`
  const authority = testCertificate('ldap authority')
  const certificate = testCertificate('localhost', authority)

  async function asRoot<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ url, timeout: 10_000 })
    try {
      await client.bind(ROOT.dn, ROOT.password)
      return await work(client)
    } finally {
      await client.unbind()
    }
  }

  const server = await startTemporary({
    name: 'ldap',
    prepare(folder) {
      mkdirSync(join(folder, 'data'))
      writeFileSync(join(folder, 'authority.pem'), authority.cert)
      writeFileSync(join(folder, 'server.pem'), certificate.cert)
      writeFileSync(join(folder, 'server.key'), certificate.key)
      writeFileSync(join(folder, 'slapd.conf'), config(folder))
      writeFileSync(join(folder, 'begin.ldif'), BEGIN)
      const files = ['-f', join(folder, 'slapd.conf'), '-l', join(folder, 'begin.ldif')]
      const added = spawnSync('/usr/sbin/slapadd', files, { encoding: 'utf8' })
      if (added.status !== 0) throw new Error(`slapadd failed: ${added.stderr}`)
    },
    command: (folder) => ({
      program: PROGRAM,
      args: ['-f', join(folder, 'slapd.conf'), '-h', `${url} ${secureUrl}`, '-d', '0'],
    }),
    isReady: () => listens(securePort),
  })
  return {
    ...server,
    url,
    secureUrl,
    authority: authority.cert,
    async canBind(dn, password) {
      const client = new Client({ url, timeout: 10_000 })
      try {
        await client.bind(dn, password)
        return true
      } catch (error) {
        if (error instanceof InvalidCredentialsError) return false
        throw error
      } finally {
        await client.unbind()
      }
    },
    valuesOf: (dn, attribute) =>
      asRoot(async (client) => {
        const { searchEntries } = await client.search(dn, {
          scope: 'base',
          attributes: [attribute],
          explicitBufferAttributes: [attribute],
        })
        const found = searchEntries[0]?.[attribute] ?? []
        return (Array.isArray(found) ? found : [found]).map((value) => Buffer.from(value))
      }),
    below: (dn) =>
      asRoot(async (client) => {
        const { searchEntries } = await client.search(dn, { scope: 'one', attributes: ['1.1'] })
        return searchEntries.map((entry) => entry.dn).toSorted()
      }),
    setPassword: (dn, password) =>
      asRoot((client) => {
        const modification = new Attribute({ type: 'userPassword', values: [password] })
        return client.modify(dn, new Change({ operation: 'replace', modification }))
      }),
    addPerson: (name, attributes = {}) =>
      asRoot(async (client) => {
        const dn = `cn=${name},${PEOPLE}`
        const objectClass = ['person', 'otherAccount']
        await client.add(dn, { objectClass, sn: 'Person', userPassword: 'before', ...attributes })
        return dn
      }),
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** The attributes that Active Directory and RACF keep passwords in are declared here: what is written to them is looked at. */
const config = (folder: string) => `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.3.6.1.4.1.32473.1.1 NAME 'unicodePwd' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.2 NAME 'racfPassword' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.3 NAME 'racfAttributes' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.32473.1.4 NAME 'racfid' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.32473.1.5 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.32473.2.1 NAME 'otherAccount' AUXILIARY MAY ( unicodePwd $ racfPassword $ racfAttributes $ racfid $ userPrincipalName $ uid ) )
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile ${folder}/slapd.pid
TLSCACertificateFile ${folder}/authority.pem
TLSCertificateFile ${folder}/server.pem
TLSCertificateKeyFile ${folder}/server.key
database mdb
suffix "${SUFFIX}"
rootdn "${ROOT.dn}"
rootpw ${ROOT.password}
directory ${folder}/data
maxsize 10485760
dbnosync
overlay ppolicy
ppolicy_hash_cleartext
access to * by dn.exact="${MANAGER.dn}" write by self write by anonymous auth by * none
`

const BEGIN = `dn: ${SUFFIX}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ${MANAGER.dn}
objectClass: person
cn: manager
sn: Manager
userPassword: ${MANAGER.password}

dn: ${PEOPLE}
objectClass: organizationalUnit
ou: people

dn: ou=groups,${SUFFIX}
objectClass: organizationalUnit
ou: groups

dn: cn=developers,ou=groups,${SUFFIX}
objectClass: groupOfNames
cn: developers
member: ${MANAGER.dn}
`
