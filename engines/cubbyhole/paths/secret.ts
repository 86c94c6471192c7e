/** `PATH`: a secret of the caller's own token. */
import { cubbyholePrefix } from '../../../core/cubbyhole.ts'
import { BadRequest, listed } from '../../../core/errors.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Caller, Request, RequestBase } from '../../../core/plugin/request.ts'
import type { View } from '../../../core/store/view.ts'
import { cubbyholeRecords } from '../../../core/wrapping/wrapping.ts'
import { RESPONSE_WRAPPING_POLICY } from '../../../core/policy/names.ts'

const fields = {
  path: string('Where the secret lies, or the folder, which ends in "/".').default(''),
}
type SecretRequest = Request<typeof fields>

export const secretPath = path(':path*', {
  summary: 'A secret of the token that asks: any JSON object',
  description: 'What is written replaces the value as a whole.',
  fields,
  exists,
  operations: { read, update: write, delete: remove, list },
  examples: [
    {
      summary: 'Keep something for as long as the token lives',
      operation: 'update',
      path: 'session',
      request: { step: 3 },
    },
  ],
})

/** The records of the caller's token. @throws {BadRequest} the token is not stored, so nothing would remove them */
function ownRecords({ storage, caller }: RequestBase): View {
  if (caller?.tokenType !== 'service') {
    throw new BadRequest("cubbyhole operations are only supported by 'service' type tokens")
  }
  return storage.below(cubbyholePrefix(caller.accessor))
}

function namesSecret(at: string): boolean {
  return at !== '' && !at.endsWith('/')
}

async function exists(request: SecretRequest): Promise<boolean> {
  const { data, caller } = request
  // For what is refused anyway there is nothing to look at, and the policies have not been asked yet.
  if (!namesSecret(data.path) || caller?.tokenType !== 'service') return true
  return (await ownRecords(request).get(cubbyholeRecords, data.path)) !== undefined
}

async function read(request: SecretRequest) {
  const records = ownRecords(request)
  const { data, caller } = request
  const value = namesSecret(data.path) ? await records.get(cubbyholeRecords, data.path) : undefined
  return value && { data: value, warnings: warningsOf(data.path, caller) }
}

/** A wrapping token works here too, as it did before there was a call for it. */
function warningsOf(at: string, caller: Caller | undefined): string[] {
  const policies = caller?.policies ?? []
  const isWrapping = policies.length === 1 && policies[0] === RESPONSE_WRAPPING_POLICY
  return isWrapping && at === 'response' ? [DEPRECATED] : []
}

const DEPRECATED =
  "Reading from 'cubbyhole/response' is deprecated. Please use sys/wrapping/unwrap to unwrap responses, as it provides additional security checks and other benefits."

function write(request: SecretRequest): void {
  const records = ownRecords(request)
  const { data, body } = request
  if (Object.keys(body).length === 0) throw new BadRequest(listed('missing data fields'))
  if (!namesSecret(data.path)) throw new BadRequest(listed('missing path'))
  records.put(cubbyholeRecords, data.path, body)
}

function remove(request: SecretRequest): void {
  const records = ownRecords(request)
  if (namesSecret(request.data.path)) records.delete(request.data.path)
}

async function list(request: SecretRequest) {
  return { data: { keys: await ownRecords(request).list(request.data.path) } }
}
