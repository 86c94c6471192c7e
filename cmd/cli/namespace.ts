/** The commands of `namespace`. */
import type { Json, JsonObject } from '../../core/json.ts'
import { canonicalNamespace, type Connection } from '../client/connection.ts'
import { ApiError } from '../client/errors.ts'
import {
  askData,
  askSecret,
  deleteSecret,
  listSecrets,
  plainly,
  readSecret,
  scanSecrets,
  writeSecret,
} from '../client/logical.ts'
import { listedKeys, textOf } from '../client/secret.ts'
import type { Secret } from '../client/secret.ts'
import type { Printer } from '../output/printer.ts'
import { between, command, exactly } from './command.ts'
import { CommandFailed, UsageProblem, orFail } from './failure.ts'
import { list as listFlag, pairs, text, yesNo } from './flags.ts'
import { folder } from './paths.ts'

export const list = listing(
  {
    usage: 'namespace list [options]',
    about: `Lists the namespaces right below the one you work in.

  %p namespace list -namespace=team-a`,
    verb: 'listing',
  },
  listSecrets,
)

export const scan = listing(
  {
    usage: 'namespace scan [options]',
    about: `Lists all namespaces below the one you work in, at any depth.

  %p namespace scan`,
    verb: 'scanning',
  },
  scanSecrets,
)

function listing(
  { usage, about, verb }: { usage: string; about: string; verb: string },
  ask: (connection: Connection, path: string) => Promise<Secret | undefined>,
) {
  return command({
    usage,
    about,
    outputs: 'format',
    flags: { detailed: yesNo('Show what the server tells of each.') },
    async run({ flags, connection, printer }) {
      const secret = await orFail(`Error ${verb} namespaces`, ask(connection(), 'sys/namespaces'))
      if (secret?.wrapInfo !== undefined) return printer.secret(secret)
      if (secret === undefined || listedKeys(secret) === undefined) {
        if (printer.format !== 'table') printer.data({})
        throw new CommandFailed(printer.format === 'table' ? 'No namespaces found' : '')
      }
      if (flags.detailed && printer.format !== 'table')
        printer.data(secret.data?.['key_info'] ?? null)
      else printer.list(secret, { detailed: flags.detailed })
    },
  })
}

function show(printer: Printer, data: JsonObject | undefined, field: string | undefined): void {
  if (field === undefined) printer.data(data ?? {})
  else printer.fieldOf(data ?? {}, field)
}

const metadataFlag = {
  'custom-metadata': pairs('Something to remember about it; may be given several times.'),
}

export const create = command({
  usage: 'namespace create [options] PATH',
  about: `Makes a namespace below the one you work in.

  %p namespace create team-a
  %p namespace create -namespace=team-a -custom-metadata=owner=ann project`,
  outputs: 'field',
  words: exactly(1),
  flags: metadataFlag,
  async run({ args, flags, connection, printer, field }) {
    const custom = flags['custom-metadata']
    const body = Object.keys(custom).length === 0 ? {} : { custom_metadata: custom }
    const path = `sys/namespaces/${(args[0] ?? '').trim()}`
    const data = await orFail(
      'Error creating namespace',
      askData(connection(), { method: 'POST', path, body }),
    )
    show(printer, data, field)
  },
})

export const lookup = command({
  usage: 'namespace lookup [options] PATH',
  about: `Shows a namespace.

  %p namespace lookup team-a`,
  outputs: 'format',
  words: exactly(1),
  async run({ args, connection, printer }) {
    const path = `sys/namespaces/${(args[0] ?? '').trim()}`
    const secret = await orFail(
      'Error looking up namespace',
      plainly(readSecret(connection(), path)),
    )
    if (secret?.data === undefined) throw new CommandFailed('Namespace not found')
    show(printer, secret.data, undefined)
  },
})

export const patch = command({
  usage: 'namespace patch [options] PATH',
  about: `Changes what is remembered about a namespace.

  %p namespace patch -custom-metadata=owner=bob team-a`,
  outputs: 'field',
  words: exactly(1),
  flags: {
    ...metadataFlag,
    'remove-custom-metadata': listFlag('A key to remove; may be given several times.'),
  },
  async run({ args, flags, connection, printer, field }) {
    const removed = flags['remove-custom-metadata'].map((key): readonly [string, Json] => [
      key,
      null,
    ])
    const custom: JsonObject = { ...flags['custom-metadata'], ...Object.fromEntries(removed) }
    if (Object.keys(custom).length === 0)
      throw new UsageProblem(
        'Must supply at least one of -custom-metadata or -remove-custom-metadata',
      )
    const path = `sys/namespaces/${(args[0] ?? '').trim()}`
    const secret = await notFoundAsText(
      plainly(writeSecret(connection(), path, { custom_metadata: custom }, 'PATCH')),
    )
    show(printer, secret?.data, field)
  },
})

async function notFoundAsText(request: Promise<Secret | undefined>): Promise<Secret | undefined> {
  try {
    return await request
  } catch (error) {
    if (error instanceof ApiError && error.status === 404)
      throw new CommandFailed('Namespace not found', undefined, { cause: error })
    return orFail('Error patching namespace', Promise.reject(error))
  }
}

export const remove = command({
  usage: 'namespace delete [options] PATH',
  about: `Deletes a namespace and all that is in it.

  %p namespace delete team-a`,
  words: exactly(1),
  async run({ args, connection, printer }) {
    const name = (args[0] ?? '').trim()
    const secret = await orFail(
      'Error deleting namespace',
      deleteSecret(connection(), `sys/namespaces/${name}`),
    )
    if (textOf(secret?.data?.['status']) === '') printer.warn('Requested namespace does not exist')
    else printer.line(`Success! Namespace deletion scheduled: ${folder(name)}`)
  },
})

/** `lock`, or `lock/child`. */
function lockPath(verb: 'lock' | 'unlock', child: string | undefined): string {
  const below = child === undefined ? '' : `/${canonicalNamespace(child).replace(/\/$/, '')}`
  return `sys/namespaces/api-lock/${verb}${below}`
}

export const lock = command({
  usage: 'namespace lock [options] [PATH]',
  about: `Locks the API of the namespace you work in, or of one below it.

  %p namespace lock team-a`,
  outputs: 'format',
  words: between(0, 1, '0 or 1'),
  async run({ args, connection, printer }) {
    const request = { method: 'PUT', path: lockPath('lock', args[0]), body: {} } as const
    const data = await orFail('Error locking namespace', askData(connection(), request))
    if (printer.format !== 'table') return printer.data(data)
    printer.line(`Unlock Key: ${textOf(data['unlock_key'])}`)
    printer.line(
      '\nNamespace is now locked. Please securely store the unlock key printed above.\n' +
        'You must supply the unlock key to re-enable access to the namespace.\n' +
        'If the unlock key is lost, sudo capability is required to unlock the namespace without it.',
    )
  },
})

export const unlock = command({
  usage: 'namespace unlock [options] [PATH]',
  about: `Unlocks the API of a namespace with the key that locking it printed. Who has sudo there needs no key.

  %p namespace unlock -unlock-key=KEY team-a`,
  outputs: 'format',
  words: between(0, 1, '0 or 1'),
  flags: { 'unlock-key': text('The key that locking it printed.') },
  async run({ args, connection, printer, unlockKey }) {
    const body = { unlock_key: unlockKey ?? '' }
    const request = { method: 'PUT', path: lockPath('unlock', args[0]), body } as const
    const secret = await orFail('Error unlocking namespace', askSecret(connection(), request))
    const [warning] = secret?.warnings ?? []
    if (warning === undefined) printer.line('Namespace unlocked successfully!')
    else printer.warn(warning)
  },
})
