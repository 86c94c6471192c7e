/** Sets the password of an account, in the attribute in which the kind of directory keeps it. */
import { BadRequest } from '../../core/errors.ts'
import type { Run } from './connect.ts'
import type { Config, Schema } from './records.ts'

/** By its DN, or by the value of the attribute by which users are searched. */
export type Account = { readonly dn: string } | { readonly username: string }

/** @throws {RequestError} it may have been set all the same, where no answer came */
export async function changePassword(
  run: Run,
  config: Config,
  account: Account,
  password: string,
): Promise<void> {
  const dn = 'dn' in account ? account.dn : await findDn(run, config, account.username)
  const { Attribute, Change } = await import('ldapts')
  const changes = passwordAttributes(config.schema, password).map(
    ([type, value]) =>
      new Change({ operation: 'replace', modification: new Attribute({ type, values: [value] }) }),
  )
  await run('the password could not be changed', (client) => client.modify(dn, changes))
}

/** The administrator's own; one who binds by the name of a user principal is searched. */
export function ownAccount({ bindDn, upnDomain }: Config): Account {
  return upnDomain === '' || bindDn.includes('=')
    ? { dn: bindDn }
    : { username: `${bindDn}@${upnDomain}` }
}

/** Searched by an object, not by a text, so that no name can change what is searched for. */
async function findDn(run: Run, config: Config, username: string): Promise<string> {
  const { EqualityFilter } = await import('ldapts')
  const filter = new EqualityFilter({ attribute: config.userAttribute, value: username })
  const { searchEntries } = await run('the account could not be searched', (client) =>
    client.search(config.userDn, { scope: 'sub', filter, attributes: ['1.1'], sizeLimit: 2 }),
  )
  const [found] = searchEntries
  if (found !== undefined && searchEntries.length === 1) return found.dn
  throw new BadRequest(
    `expected one matching entry, but received ${searchEntries.length === 0 ? 'none' : 'several'}: look at the name, at userdn and at userattr`,
  )
}

function passwordAttributes(schema: Schema, password: string): readonly [string, Buffer][] {
  const text = Buffer.from(password)
  switch (schema) {
    case 'openldap':
      return [['userPassword', text]]
    case 'racf':
      return [
        ['racfPassword', text],
        ['racfAttributes', Buffer.from('noexpired')],
      ]
    case 'ad':
      // MS-ADTS, 3.1.1.3.1.5: in quotes, in UTF-16.
      return [['unicodePwd', Buffer.from(`"${password}"`, 'utf16le')]]
  }
}
