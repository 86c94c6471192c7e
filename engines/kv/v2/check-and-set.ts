/** `options.cas`: a write is refused where the key has moved on since the writer looked. */
import { BadRequest, FieldError } from '../../../core/errors.ts'
import type { Json, JsonObject } from '../../../core/json.ts'
import { integer } from '../../../core/plugin/fields.ts'
import type { Config, Key } from './records.ts'

/** The writer's `cas` is not the current version. */
export class CasMismatch extends BadRequest {
  override readonly name = 'CasMismatch'
  constructor() {
    super('check-and-set parameter did not match the current version')
  }
}

/** @throws {BadRequest} it is required and not there, or no whole number {CasMismatch} */
export function checkCas(config: Config, key: Key, options: JsonObject | undefined): void {
  const cas = options !== undefined && Object.hasOwn(options, 'cas') ? options['cas'] : undefined
  if (cas === undefined) {
    if (!config.casRequired && !key.casRequired) return
    throw new BadRequest('check-and-set parameter required for this call')
  }
  if (parseCas(cas) !== key.current) throw new CasMismatch()
}

const number = integer('Version that the key must have; 0: it must not be there.')

function parseCas(cas: Json): number {
  if (cas === null) return 0
  try {
    return number.parse('cas', cas) ?? 0
  } catch (error) {
    if (error instanceof FieldError) throw new BadRequest('error parsing check-and-set parameter')
    throw error
  }
}
