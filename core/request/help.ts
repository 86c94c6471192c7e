/** Answers `?help=1`: finds what the request asks about. */
import { NotFound, UnsupportedPath } from '../errors.ts'
import { helpOf } from '../plugin/help.ts'
import type { Answer } from './exchange.ts'
import type { Route } from './route.ts'

/** @throws {NotFound} nothing is mounted there @throws {UnsupportedPath} the engine has no such path */
export function answerHelp({ path: routed, target }: Route): Answer {
  if (target === undefined) {
    throw new NotFound(`no handler for route "${routed}". route entry not found.`)
  }
  const { entry, instance, match } = target
  const path = routed.slice(entry.path.length)
  if (path !== '' && match === undefined) throw new UnsupportedPath()
  const asked = path === '' || match === undefined ? undefined : { path, declared: match.path }
  const { type, plugin } = instance
  return {
    response: {},
    auth: undefined,
    warnings: [],
    wrapInfo: undefined,
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body: `${JSON.stringify(helpOf({ type, plugin, prefix: entry.path, asked }))}\n`,
  }
}
