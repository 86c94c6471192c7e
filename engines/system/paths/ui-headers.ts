/**
 * `sys/config/ui/headers`: headers that the answers of a web console shall have (contract: sys-auth.md, UI). They are
 * kept as in Vault; nothing sends them before there is a console.
 */
import { z } from 'zod'
import { BadRequest } from '../../../core/errors.ts'
import { boolean, string, stringArray } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { kind } from '../../../core/store/kind.ts'

const headerSchema = z.object({ name: z.string(), values: z.array(z.string()).readonly() })
type UiHeader = z.infer<typeof headerSchema>
const uiHeaders = kind('ui-headers', z.array(headerSchema.readonly()).readonly())
const KEY = 'core/ui-headers'

/** What a page can need is far less; all of them are one record. */
const MAX_HEADERS = 100
const MAX_CHARACTERS = 8_192
/** Blanks, tabs and what prints in ASCII: anything else could not be sent. */
const SENDABLE = /^[\t\x20-\x7e]*$/
const POLICY = 'Content-Security-Policy'

const fields = {
  header: string('Name of the header; upper and lower case are the same.').default(''),
  values: stringArray('Its values, each sent as a header of its own.').default([]),
  multivalue: boolean('Answers all values, as a list.').default(false).inQuery(),
}
type HeaderRequest = Request<typeof fields>

/** @param configured names of headers that the configuration of a listener sets */
export function uiHeaderPaths(configured: readonly string[]) {
  return [
    path('config/ui/headers', {
      rootOnly: true,
      summary: 'The headers that are set for the web console',
      sudo: true,
      operations: { list },
    }),
    path('config/ui/headers/:header', {
      rootOnly: true,
      summary: 'A header for the answers of the web console',
      sudo: true,
      fields,
      operations: {
        read: show,
        update: (request) => write(request, new Set(configured.map(canonical))),
        delete: remove,
      },
    }),
  ]
}

/** As HTTP libraries spell it: `X-Frame-Options`. */
function canonical(name: string): string {
  return name.toLowerCase().replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
}

async function readAll(root: Request['storage']): Promise<readonly UiHeader[]> {
  return (await root.get(uiHeaders, KEY)) ?? []
}

function writeAll(root: Request['storage'], headers: readonly UiHeader[]): void {
  if (headers.length === 0) root.delete(KEY)
  else root.put(uiHeaders, KEY, headers)
}

async function list({ storage }: Request): Promise<Response> {
  const names = (await readAll(storage)).map(({ name }) => name)
  return { data: { keys: names.toSorted() } }
}

async function show({ storage, data }: HeaderRequest): Promise<Response | undefined> {
  const asked = canonical(data.header)
  const found = (await readAll(storage)).find(({ name }) => name === asked)
  if (found === undefined) return undefined
  return { data: data.multivalue ? { values: found.values } : { value: found.values[0] } }
}

async function write(
  { storage, data }: HeaderRequest,
  configured: ReadonlySet<string>,
): Promise<Response> {
  const header = { name: canonical(data.header), values: data.values }
  check(header, configured)
  const others = (await readAll(storage)).filter(({ name }) => name !== header.name)
  if (others.length >= MAX_HEADERS)
    throw new BadRequest(`at most ${MAX_HEADERS} headers can be set; delete one first`)
  writeAll(storage, [...others, header])
  return { data: null, ...(header.name === POLICY && { warnings: [OVERRIDDEN] }) }
}

const OVERRIDDEN =
  'overriding default Content-Security-Policy which is secure by default, proceed with caution'

function check({ name, values }: UiHeader, configured: ReadonlySet<string>): void {
  if (values.length === 0) throw new BadRequest('header and values must be specified')
  if (name.startsWith('X-Vault-')) throw new BadRequest('X-Vault headers cannot be set')
  if (configured.has(name)) {
    throw new BadRequest(
      'This header already exists in the server configuration and cannot be set in the UI.',
    )
  }
  if (!values.every((value) => SENDABLE.test(value)))
    throw new BadRequest('"values" may hold printable ASCII characters, blanks and tabs')
  if (values.join('').length > MAX_CHARACTERS)
    throw new BadRequest(`"values" may hold up to ${MAX_CHARACTERS} characters together`)
}

async function remove({ storage, data }: HeaderRequest): Promise<void> {
  const asked = canonical(data.header)
  const headers = await readAll(storage)
  writeAll(
    storage,
    headers.filter(({ name }) => name !== asked),
  )
}
