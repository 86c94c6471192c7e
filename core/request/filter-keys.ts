/** Leaves out of a listing the names that the caller could not open, where the policy says so. */
import type { Acl } from '../policy/acl.ts'
import type { Decision } from '../policy/decision.ts'
import { renderListFilter } from '../policy/list-filter.ts'
import type { Handled } from '../plugin/path.ts'
import type { Route } from './route.ts'

export function filterKeys(
  handled: Handled,
  acl: Acl,
  decision: Decision,
  { path, namespace }: Route,
): Handled {
  const { listFilter } = decision
  const keys = handled?.data?.['keys']
  if (listFilter === undefined || !handled || !Array.isArray(keys)) return handled
  const shown = keys.filter((key): key is string => {
    if (typeof key !== 'string') return false
    const operation = key.endsWith('/') ? 'list' : 'read'
    const opened = renderListFilter(listFilter, path, key)
    return acl.check({ operation, namespacePath: namespace.path, path: opened }).allowed
  })
  const info = handled.data?.['key_info']
  const kept = typeof info === 'object' && info !== null ? pick(info, shown) : undefined
  return { ...handled, data: { ...handled.data, keys: shown, key_info: kept } }
}

function pick(info: object, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, Reflect.get(info, key)]))
}
