/** Does in a directory what LDIF says. */
import type { Client } from 'ldapts'
import type { Run } from './connect.ts'
import { DirectoryRefused, NO_SUCH_ATTRIBUTE, NO_SUCH_OBJECT } from './errors.ts'
import type { LdifRecord } from './ldif.ts'

const WHAT = {
  add: 'an entry could not be added',
  modify: 'an entry could not be changed',
  delete: 'an entry could not be deleted',
} as const

/** In their order, until one fails. @throws {RequestError} those before it are done */
export async function applyLdif(run: Run, records: readonly LdifRecord[]): Promise<void> {
  for (const [index, record] of records.entries()) {
    await run(`${WHAT[record.change]} (LDIF record ${index + 1})`, await operationOf(record))
  }
}

/**
 * Takes back what was done, or part of it: each record is tried, also after one that failed, and what is not there is taken
 * back already.
 *
 * @throws the first failure: something may still be there
 */
export async function takeBack(run: Run, records: readonly LdifRecord[]): Promise<void> {
  const failures: unknown[] = []
  for (const record of records) {
    try {
      await applyLdif(run, [record])
    } catch (error) {
      if (!isGone(error)) failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

function isGone(error: unknown): boolean {
  return (
    error instanceof DirectoryRefused &&
    (error.code === NO_SUCH_OBJECT || error.code === NO_SUCH_ATTRIBUTE)
  )
}

async function operationOf(record: LdifRecord): Promise<(client: Client) => Promise<void>> {
  const { dn } = record
  const { Attribute, Change } = await import('ldapts')
  switch (record.change) {
    case 'add': {
      const attributes = record.attributes.map(({ name, values }) => attribute(name, values))
      return (client) => client.add(dn, attributes)
    }
    case 'delete':
      return (client) => client.del(dn)
    case 'modify': {
      const changes = record.modifications.map(
        ({ operation, name, values }) =>
          new Change({ operation, modification: attribute(name, values) }),
      )
      return (client) => client.modify(dn, changes)
    }
  }
  function attribute(type: string, values: readonly (string | Buffer)[]) {
    return new Attribute({ type, values: values.map((value) => Buffer.from(value)) })
  }
}
