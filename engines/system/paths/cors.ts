/** `sys/config/cors`: which web pages of other origins may call the API. */
import { CORS_KEY, corsRecords, STANDARD_HEADERS } from '../../../core/cors.ts'
import { BadRequest, listed } from '../../../core/errors.ts'
import { boolean, list } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'

const fields = {
  enable: boolean('Kept for compatibility: naming origins enables it.').default(true),
  allowed_origins: list('Origins such as https://console.example; `*` alone for all.').default([]),
  allowed_headers: list('Request headers beside the standard ones.').default([]),
  allow_credentials: boolean('Whether pages may send credentials.').default(false),
}

/** A token of RFC 9110; anything else could not be sent in an answer. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

export const corsPaths = [
  path('config/cors', {
    rootOnly: true,
    summary: 'Which web pages of other origins may call the API',
    sudo: true,
    fields,
    operations: {
      read: ({ storage }) => show(storage),
      update: write,
      delete: ({ storage }) => storage.delete(CORS_KEY),
    },
  }),
]

async function show(root: Request['storage']): Promise<Response> {
  const cors = await root.get(corsRecords, CORS_KEY)
  if (cors === undefined) return { data: { enabled: false } }
  return {
    data: {
      enabled: true,
      allowed_origins: cors.origins,
      allowed_headers: [...STANDARD_HEADERS, ...cors.headers],
      allow_credentials: cors.credentials,
    },
  }
}

function write({ storage, data }: Request<typeof fields>): void {
  const { allowed_origins: origins } = data
  if (origins.length === 0) {
    throw new BadRequest(listed('at least one origin or the wildcard must be provided'))
  }
  if (origins.length > 1 && origins.includes('*')) {
    throw new BadRequest(
      listed("to allow all origins the '*' must be the only value for allowed_origins"),
    )
  }
  if (!data.allowed_headers.every((name) => HEADER_NAME.test(name))) {
    throw new BadRequest("'allowed_headers' must be names of headers, such as X-Request-Source")
  }
  const headers = data.allowed_headers.filter((name) => !STANDARD_HEADERS.includes(name))
  storage.put(corsRecords, CORS_KEY, { origins, headers, credentials: data.allow_credentials })
}
