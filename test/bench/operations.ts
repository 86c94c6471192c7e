/** What is measured: each operation as a script of requests, on a server that `prepare` has set up. */
import type { Api } from '../support/api-client.ts'
import { always, request, type Operation, type Prepared } from './operation.ts'
import { prepareTransit, TRANSIT_OPERATIONS, TRANSIT_POLICY } from './transit-operations.ts'

const KEYS = 1000
const LISTED_KEYS = 10_000
const POLICY = `
path "secret/data/app/*" { capabilities = ["create", "read", "update"] }
path "secret/metadata/many/*" { capabilities = ["list"] }
path "secret/metadata/many" { capabilities = ["list"] }
path "sys/wrapping/wrap" { capabilities = ["update"] }
${TRANSIT_POLICY}
`

export const OPERATIONS: readonly Operation[] = [
  {
    name: 'kv-read',
    mark: 0.35,
    script: ({ token }, i) => always(request('GET', `secret/data/app/${i % KEYS}`, token)),
  },
  {
    name: 'kv-write',
    mark: 0.15,
    script: ({ token }, i) => {
      let count = i * 7
      const bodies = Array.from({ length: 16 }, (_, n) =>
        request('POST', `secret/data/app/${(i * 16 + n) % KEYS}`, token, {
          data: { user: 'app', password: 'x'.repeat(32) },
        }),
      )
      return {
        next: () => bodies[count++ % bodies.length] ?? Buffer.alloc(0),
        keepsAnswers: false,
        requestsPerOperation: 1,
      }
    },
  },
  {
    name: 'lookup-self',
    script: ({ token }) => always(request('GET', 'auth/token/lookup-self', token)),
  },
  {
    name: 'approle-login',
    mark: 0.12,
    script: ({ roleId, secretId }) =>
      always(request('POST', 'auth/approle/login', '', { role_id: roleId, secret_id: secretId })),
  },
  {
    name: 'approle-login-batch',
    mark: 0.2,
    script: ({ batchRoleId, batchSecretId }) =>
      always(
        request('POST', 'auth/approle/login', '', {
          role_id: batchRoleId,
          secret_id: batchSecretId,
        }),
      ),
  },
  {
    name: 'wrap-unwrap',
    script: ({ token }) => {
      const wrap = withHeader(request('POST', 'sys/wrapping/wrap', token, { a: 'b' }))
      return {
        next: (answer) => {
          const wrapped = /"wrap_info":\{"token":"([^"]+)"/.exec(answer)?.[1]
          return wrapped === undefined ? wrap : request('POST', 'sys/wrapping/unwrap', wrapped)
        },
        keepsAnswers: true,
        requestsPerOperation: 2,
      }
    },
  },
  {
    name: 'list-10000',
    script: ({ token }) => always(request('GET', 'secret/metadata/many?list=true', token)),
  },
  ...TRANSIT_OPERATIONS,
]

function withHeader(bytes: Buffer): Buffer {
  return Buffer.from(
    bytes.toString('latin1').replace('\r\n', '\r\nX-Vault-Wrap-TTL: 300\r\n'),
    'latin1',
  )
}

/** Mounts, policies, roles and secrets, and a file audit device. */
export async function prepare(api: Api, rootToken: string, dir: string): Promise<Prepared> {
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await api(method, path, {
      token: rootToken,
      ...(body !== undefined && { body }),
    })
    if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}`)
    return answer.json
  }
  await call('POST', 'sys/audit/file', { type: 'file', options: { file_path: `${dir}/audit.log` } })
  await call('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } })
  await call('POST', 'sys/policies/acl/bench', { policy: POLICY })
  await call('POST', 'sys/auth/approle', { type: 'approle' })
  await call('POST', 'auth/approle/role/bench', { token_policies: ['bench'], token_ttl: '1h' })
  await call('POST', 'auth/approle/role/batch', {
    token_policies: ['bench'],
    token_ttl: '1h',
    token_type: 'batch',
  })
  await inParallel(KEYS, (i) =>
    call('POST', `secret/data/app/${i}`, { data: { user: 'app', password: 'x'.repeat(32) } }),
  )
  await inParallel(LISTED_KEYS, (i) => call('POST', `secret/data/many/${i}`, { data: { a: 'b' } }))
  const made = await call('POST', 'auth/token/create', { policies: ['bench'], ttl: '24h' })
  const transit = await prepareTransit(call, textAt)
  return {
    transit,
    token: textAt(made, 'auth', 'client_token'),
    roleId: textAt(await call('GET', 'auth/approle/role/bench/role-id'), 'data', 'role_id'),
    secretId: textAt(await call('POST', 'auth/approle/role/bench/secret-id'), 'data', 'secret_id'),
    batchRoleId: textAt(await call('GET', 'auth/approle/role/batch/role-id'), 'data', 'role_id'),
    batchSecretId: textAt(
      await call('POST', 'auth/approle/role/batch/secret-id'),
      'data',
      'secret_id',
    ),
  }
}

async function inParallel(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  const WIDTH = 64
  for (let i = 0; i < count; i += WIDTH) {
    await Promise.all(Array.from({ length: Math.min(WIDTH, count - i) }, (_, n) => work(i + n)))
  }
}

function textAt(json: unknown, ...path: readonly string[]): string {
  let value = json
  for (const name of path) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  }
  if (typeof value !== 'string') throw new Error(`${path.join('.')} is no text`)
  return value
}
