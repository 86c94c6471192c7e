/**
 * The media type of a request, as far as it decides how its body is read.
 */
import { BadRequest, RequestError } from '../errors.ts'

export const FORM = 'application/x-www-form-urlencoded'
const MERGE_PATCH = 'application/merge-patch+json'

/** 415: a PATCH has another type than it must have. */
export class WrongPatchType extends RequestError {
  override readonly name = 'WrongPatchType'
  constructor(provided: string) {
    super(415, `PATCH requires Content-Type of ${MERGE_PATCH}, provided ${provided}`)
  }
}

const TOKEN = /^[!#$%&'*+\-.^_`|~\w]{1,100}$/
const PARAMETER = /^\s*[!#$%&'*+\-.^_`|~\w]+=(?:"(?:[^"\\]|\\.)*"|[!#$%&'*+\-.^_`|~\w]+)\s*$/

/** Lower case, without parameters; empty where there is none. Does not check. */
export function mediaTypeOf(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/**
 * A PATCH says what kind of patch it is. The texts are those of the reference.
 *
 * @throws {BadRequest} the header is absent or malformed
 * @throws {WrongPatchType}
 */
export function checkPatchType(header: string | undefined): void {
  const type = mediaTypeOf(header)
  if (type === '') throw new BadRequest('mime: no media type')
  const [kind = '', subtype, ...rest] = type.split('/')
  if (!TOKEN.test(kind)) throw new BadRequest('mime: no media type')
  if (subtype === undefined) throw new BadRequest('mime: expected slash after first token')
  if (subtype === '') throw new BadRequest('mime: expected token after slash')
  if (rest.length > 0 || !TOKEN.test(subtype)) {
    throw new BadRequest('mime: unexpected content after media subtype')
  }
  const parameters = (header ?? '').split(';').slice(1)
  if (parameters.some((parameter) => parameter.trim() !== '' && !PARAMETER.test(parameter))) {
    throw new BadRequest('mime: invalid media parameter')
  }
  if (type !== MERGE_PATCH) throw new WrongPatchType(type)
}
