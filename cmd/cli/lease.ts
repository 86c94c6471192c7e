/** The commands of `lease`. */
import { askSecret, perform } from '../client/logical.ts'
import { between, command, exactly } from './command.ts'
import { UsageProblem, orFail } from './failure.ts'
import { duration, yesNo } from './flags.ts'
import { wrapText } from '../output/wrap.ts'

function idOf(args: readonly string[]): string {
  const id = (args[0] ?? '').trim()
  if (args.length === 0) throw new UsageProblem('Missing ID!')
  return id
}

export const lookup = command({
  usage: 'lease lookup [options] ID',
  about: `Shows what the server knows of a lease.

  %p lease lookup database/creds/reader/2f6a614c`,
  outputs: 'format',
  words: between(0, 1, '1'),
  async run({ args, connection, printer }) {
    const id = idOf(args)
    const request = { method: 'PUT', path: 'sys/leases/lookup', body: { lease_id: id } } as const
    printer.secret(
      await orFail(`error looking up lease id ${id}`, askSecret(connection(), request)),
    )
  },
})

export const renew = command({
  usage: 'lease renew [options] ID',
  about: `Prolongs a lease.

  %p lease renew -increment=1h database/creds/reader/2f6a614c`,
  outputs: 'format',
  words: between(0, 1, '1-2'),
  flags: { increment: duration('How long it should last from now on; the server may give less.') },
  async run({ args, flags, connection, printer }) {
    const id = idOf(args)
    const increment = Math.max(0, Math.floor(flags.increment ?? 0))
    const body = { lease_id: id, increment }
    const request = { method: 'PUT', path: 'sys/leases/renew', body } as const
    printer.secret(await orFail(`Error renewing ${id}`, askSecret(connection(), request)))
  },
})

export const revoke = command({
  usage: 'lease revoke [options] ID',
  about: `Ends a lease now: what was lent is taken back.

  %p lease revoke database/creds/reader/2f6a614c
  %p lease revoke -prefix database/creds/`,
  words: exactly(1),
  flags: {
    force: yesNo('Forget the leases although taking back fails; needs -prefix.', { alias: 'f' }),
    prefix: yesNo('All leases whose id begins so.'),
    sync: yesNo('Wait until it is done.'),
  },
  async run({ args, flags, connection, printer, program }) {
    const { force, prefix, sync } = flags
    if (force && !prefix)
      throw new UsageProblem('Specifying -force requires also specifying -prefix')
    const id = (args[0] ?? '').trim()
    if (force)
      printer.warn(
        wrapText(
          `Warning! Force-removing leases can cause ${program.product} to become out of sync with secret engines!`,
        ),
      )
    const verb = force ? 'revoke-force' : prefix ? 'revoke-prefix' : 'revoke'
    const what = force
      ? 'force revoking leases with prefix'
      : prefix
        ? 'revoking leases with prefix'
        : 'revoking lease'
    await orFail(
      `Error ${what} ${id}`,
      perform(connection(), {
        method: 'PUT',
        path: prefix ? `sys/leases/${verb}/${id}` : `sys/leases/${verb}`,
        body: { ...(prefix ? {} : { lease_id: id }), ...(force ? {} : { sync }) },
      }),
    )
    printer.line(doneText({ force, prefix, sync }, id))
  },
})

function doneText(
  { force, prefix, sync }: { force: boolean; prefix: boolean; sync: boolean },
  id: string,
): string {
  if (force) return `Success! Force revoked any leases with prefix: ${id}`
  if (!sync) return 'All revocation operations queued successfully!'
  return prefix ? `Success! Revoked any leases with prefix: ${id}` : `Success! Revoked lease: ${id}`
}
