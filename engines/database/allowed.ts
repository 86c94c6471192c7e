/** Which roles may use a configuration, and how many names there may be. */
import { BadRequest, listed } from '../../core/errors.ts'
import type { Config } from './records.ts'

/** @throws {BadRequest} the configuration does not name the role */
export function demandAllowed({ allowedRoles }: Config, role: string): void {
  if (allowedRoles.some((pattern) => matches(pattern, role))) return
  throw new BadRequest(listed(`"${role}" is not an allowed role`))
}

/** `*` anywhere stands for any text. */
function matches(pattern: string, name: string): boolean {
  const parts = pattern
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`).test(name)
}
