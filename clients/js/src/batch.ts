/** Batches: several items in one request, each of which may fail by itself. */
import { ResponseError, UnexpectedAnswer } from './errors.ts'
import { isObject, type Json, type JsonObject } from './json.ts'

/** What became of one item. */
export type BatchResult<T> =
  | { readonly isDone: true; readonly value: T }
  | { readonly isDone: false; readonly error: string }

/**
 * @returns what became of each item, in their order
 * @throws {ResponseError} the whole was refused
 */
export async function askBatch<T>(
  request: Promise<JsonObject>,
  valueOf: (result: JsonObject) => T,
): Promise<readonly BatchResult<T>[]> {
  const results = resultsIn(await answered(request))
  if (results === undefined) throw new UnexpectedAnswer('the answer has no `batch_results`')
  return results.map((result) => {
    const { error } = result
    return typeof error === 'string' && error !== ''
      ? { isDone: false, error }
      : { isDone: true, value: valueOf(result) }
  })
}

/** Where items failed the status is an error's, and the answer has results all the same. */
async function answered(request: Promise<JsonObject>): Promise<JsonObject> {
  try {
    return await request
  } catch (error) {
    const data = error instanceof ResponseError ? error.body?.['data'] : undefined
    if (isObject(data) && resultsIn(data) !== undefined) return data
    throw error
  }
}

function resultsIn(data: JsonObject): readonly JsonObject[] | undefined {
  const results = data['batch_results']
  if (!Array.isArray(results)) return undefined
  const items: readonly Json[] = results
  return items.filter(isObject)
}
