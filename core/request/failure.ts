/** What a client is told when a request fails. The one place where an error becomes a status and a text. */
import { CorruptRecord, OutcomeUnknown, RequestError } from '../errors.ts'
import type { HttpResponse } from '../http/message.ts'
import { stringifyJson } from '../json.ts'
import { StorageLimit, StorageUnavailable } from '../../storage/contract.ts'

/** Seconds after which a client may try again what the storage could not do. */
const RETRY_AFTER_SECONDS = 1

/** The error as the client may see it; `undefined` stays unsaid: it is ours, and only the log has it. */
export function asRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error
  if (error instanceof StorageLimit) return new RequestError(413, error.message)
  if (error instanceof StorageUnavailable) {
    if (error.outcomeUnknown) return new OutcomeUnknown({ cause: error })
    return new RequestError(
      503,
      'the storage cannot serve this request now; the server log says why',
      {
        headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
      },
    )
  }
  return new RequestError(500, 'internal error')
}

/** Whether the operator has to know: it is not the client's mistake. */
export function isOurs(error: unknown): boolean {
  if (!(error instanceof RequestError)) return true
  return error.cause !== undefined || error instanceof CorruptRecord
}

export function renderError(error: RequestError): HttpResponse {
  return {
    status: error.status,
    headers: { 'Content-Type': 'application/json', ...error.headers },
    body: `${stringifyJson({ data: error.data, errors: error.errors })}\n`,
  }
}
