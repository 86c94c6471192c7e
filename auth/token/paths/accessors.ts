/** `auth/token/accessors` lists, `auth/token/tidy` tidies. */
import { path } from '../../../core/plugin/path.ts'
import { page, pageFields } from '../../../core/plugin/paging.ts'
import { tokenPrefix } from '../../../core/tokens/record.ts'
import { expireTokens } from '../../../core/tokens/expire.ts'
import type { Unsealed } from '../engine.ts'

export function accessorPaths(_unsealed: Unsealed) {
  return [
    path('accessors', {
      summary: 'Lists the accessors of all tokens',
      sudo: true,
      fields: pageFields,
      operations: {
        async list({ storage, namespace, data }) {
          const keys = await storage.list(tokenPrefix(namespace.id), page(data))
          return { data: { keys } }
        },
      },
    }),
    path('tidy', {
      summary: 'Removes what is left of tokens whose time is over',
      description:
        'The server does this by itself every second; nothing depends on a call. Kept for scripts that make it.',
      operations: {
        async update({ storage, nowMs }) {
          // What cannot be read, the timed duty reports; the audit log has this request.
          await expireTokens(storage, nowMs, { report: () => undefined, tell: () => undefined })
          return { status: 202, data: null, warnings: [STARTED] }
        },
      },
    }),
  ]
}

const STARTED =
  'Tidy operation successfully started. Any information from the operation will be printed to the server logs.'
