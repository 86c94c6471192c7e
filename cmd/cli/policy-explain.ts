/** `policy explain`: why the server would allow a request or refuse it, for a person. */
import { goDuration } from '../../core/duration.ts'
import type { JsonObject } from '../../core/json.ts'
import { askSecret } from '../client/logical.ts'
import { findRequest, linesOfLog, type AuditedRequest } from './audit-log.ts'
import { atLeast, command } from './command.ts'
import type { Call } from './command.ts'
import { inputOf, parseData } from './data-args.ts'
import { CommandFailed, EXIT_USAGE, UsageProblem, orFail } from './failure.ts'
import { duration, text } from './flags.ts'
import type { FlagValues } from './flags.ts'
import { namespacePrefix } from './paths.ts'
import { verdictLines } from './policy-verdict.ts'

const flags = {
  'for-token': text('The token to look at ("-": from standard input); default: your own.', {
    alias: 'token',
  }),
  accessor: text('The accessor of the token to look at.'),
  'with-wrap-ttl': duration('The request asks for its answer to be wrapped for so long.'),
  request: text('The id of a request (request_id), instead of OPERATION and PATH.'),
  'audit-file': text('The log of an audit device, to find -request in.'),
}

export const explain = command({
  usage: 'policy explain [options] [OPERATION PATH [K=V...]]',
  about: `Tells whether the policies of a token allow a request, which rule of which policy decides, and what a refused
request lacks. The token is your own, or the one of -for-token or -accessor. OPERATION is create, read, update, patch,
delete, list or scan; K=V are fields of the request, for rules on parameters.

  %p policy explain read secret/data/app
  %p policy explain -accessor=DZpIQDVlFzZdtDMySNpMZBpr update sys/policies/acl/app policy=x

A request that was made is asked about by its id, with the log of an audit device that holds it (-request, -audit-file).
The log must have accessors as they are (hmac_accessor=false), or -accessor or -for-token names the token.

  %p policy explain -request=2ff2b1c5-6fd6-4a4b-9ad1-3a29a8f3a4b7 -audit-file=/var/log/keyhold/audit.log

It needs update and sudo on sys/policies/explain. The exit code is 0 whatever the verdict: scripts read -field=allowed.`,
  outputs: 'field',
  words: atLeast(0),
  flags,
  async run(call) {
    const { flags: given, connection, printer, field } = call
    if (given['for-token'] !== undefined && given.accessor !== undefined)
      throw new UsageProblem('Cannot use -for-token with -accessor!')
    const body =
      given.request === undefined ? await typedQuestion(call) : await loggedQuestion(call)
    const secret = await orFail(
      'Error explaining policies',
      askSecret(connection(), { method: 'POST', path: 'sys/policies/explain', body }),
    )
    if (field !== undefined && secret !== undefined) return printer.field(secret, field)
    if (printer.format !== 'table' || secret?.data === undefined) return printer.secret(secret)
    for (const line of verdictLines(secret.data)) printer.line(line)
  },
})

type ExplainCall = Call<typeof flags> & { flags: FlagValues<typeof flags> }

async function typedQuestion(call: ExplainCall): Promise<JsonObject> {
  const { flags: given, args } = call
  const [operation, path, ...pairs] = args
  if (operation === undefined || path === undefined)
    throw new UsageProblem(`Not enough arguments (expected 2, got ${args.length})`)
  if (given['audit-file'] !== undefined) throw new UsageProblem('-audit-file needs -request')
  const input = inputOf(call)
  const token = await tokenOf(given['for-token'], input)
  const wrapTtl = given['with-wrap-ttl']
  return {
    operation,
    path,
    data: await parseData(pairs, input),
    ...subjectOf(token, given.accessor),
    ...(wrapTtl === undefined ? {} : { wrap_ttl: goDuration(wrapTtl) }),
  }
}

/** What the log tells of a request; its strings are hashed there, and stay so. */
async function loggedQuestion(call: ExplainCall): Promise<JsonObject> {
  const { flags: given, args, terminal, printer } = call
  const { request: id = '', 'audit-file': file } = given
  if (args.length > 0) throw new UsageProblem('Give either OPERATION and PATH, or -request')
  if (file === undefined) throw new UsageProblem('-request needs -audit-file')
  const entry = await findRequest(linesOfLog(file, terminal), id)
  if (entry === undefined)
    throw new CommandFailed(
      'No line of the log tells of that request and what policies said to it.',
      EXIT_USAGE,
    )
  const token = await tokenOf(given['for-token'], inputOf(call))
  const named = token !== undefined || given.accessor !== undefined
  if (!named && (entry.accessor === '' || entry.accessor.startsWith('hmac-sha256:')))
    throw new UsageProblem(
      'The log has no accessor that could be used: name the token with -accessor or -for-token',
    )
  if (Object.keys(entry.data).length > 0)
    printer.warn(
      'The log has hashes for values: what rules say of values of parameters is not judged right.',
    )
  const { operation, data, wrapTtlSeconds } = entry
  return {
    operation,
    path: pathFrom(call.connection().namespace, entry),
    data,
    wrap_ttl: wrapTtlSeconds,
    ...subjectOf(token, given.accessor ?? (named ? undefined : entry.accessor)),
  }
}

/** The token may live above the namespace of the request: it is asked about from where the command stands. */
function pathFrom(namespace: string, { namespacePath, path }: AuditedRequest): string {
  const prefix = namespacePrefix(namespace)
  if (!namespacePath.startsWith(prefix))
    throw new UsageProblem(
      `The request was in namespace ${namespacePath || 'root'}, which -namespace does not hold`,
    )
  return namespacePath.slice(prefix.length) + path
}

async function tokenOf(
  given: string | undefined,
  input: () => Promise<Buffer>,
): Promise<string | undefined> {
  return given === '-' ? (await input()).toString('utf8').trim() : given
}

function subjectOf(token: string | undefined, accessor: string | undefined): JsonObject {
  return {
    ...(token === undefined ? {} : { token }),
    ...(accessor === undefined ? {} : { accessor }),
  }
}
