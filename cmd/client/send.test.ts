import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { canonicalNamespace, connectionFrom } from './connection.ts'
import type { ConnectionFlags } from './connection.ts'
import { DryRun } from './dry-run.ts'
import { ApiError, ClientProblem, ConnectionFailed } from './errors.ts'
import { readSecret, writeSecret } from './logical.ts'
import { redirectTarget, requestUrl, send } from './send.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function serve(handle: Handler, at: string | number = 0): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => handle(request, response, Buffer.concat(chunks).toString('utf8')))
  })
  servers.push(server)
  await new Promise<void>((resolve) => {
    if (typeof at === 'string') server.listen(at, resolve)
    else server.listen(at, '127.0.0.1', resolve)
  })
  const bound = server.address()
  return typeof bound === 'object' && bound !== null
    ? `http://127.0.0.1:${bound.port}`
    : `unix://${at}`
}

function connect(
  address: string,
  {
    env = {},
    flags = {},
    token = 'hvs.secret-token',
    mode = 'send',
  }: {
    env?: Record<string, string>
    flags?: ConnectionFlags
    token?: string
    mode?: 'send' | 'curl' | 'policy'
  } = {},
) {
  return connectionFrom({ address, ...flags }, env, { token, mode })
}

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}

describe('a path in the URL', () => {
  const url = (path: string, query = {}) =>
    requestUrl(new URL('http://h:1/base/'), { method: 'GET', path, query }).href

  test('goes below the address, with single slashes and none at the end', () => {
    expect(url('sys/mounts//auth/x//tune/')).toBe('http://h:1/base/v1/sys/mounts/auth/x/tune')
  })

  test('is escaped: no character of it becomes a query, a fragment or another path', () => {
    expect(url('kv/a?b#c%2e d')).toBe('http://h:1/base/v1/kv/a%3Fb%23c%252e%20d')
  })

  test('may be followed by parameters, several of one name too', () => {
    expect(url('x', { b: ['1', '2 3'], a: 'é' })).toBe('http://h:1/base/v1/x?a=%C3%A9&b=1&b=2+3')
  })
})

describe('a request', () => {
  test('carries token, namespace, wrapping, second factor and own headers', async () => {
    let headers: IncomingMessage['headers'] = {}
    const address = await serve((request, response) => {
      headers = request.headers
      json(response, 200, { data: {} })
    })
    const flags = {
      namespace: '/team/a',
      wrapTtlSeconds: 90,
      mfa: ['m:1'],
      headers: { 'X-Own': 'yes' },
    }
    await readSecret(connect(address, { flags }), 'secret/x')
    expect(headers).toMatchObject({
      'x-vault-token': 'hvs.secret-token',
      'x-vault-namespace': 'team/a/',
      'x-vault-request': 'true',
      'x-vault-wrap-ttl': '90s',
      'x-vault-mfa': 'm:1',
      'x-own': 'yes',
    })
  })

  test('to sys/wrapping/wrap is wrapped even where nobody asked', async () => {
    let ttl: unknown
    const address = await serve((request, response) => {
      ttl = request.headers['x-vault-wrap-ttl']
      response.writeHead(204).end()
    })
    await writeSecret(connect(address), 'sys/wrapping/wrap', { a: 'b' })
    expect(ttl).toBe('5m')
  })

  test('keeps the numbers of its body as they were typed, and those of the answer', async () => {
    let sent = ''
    const address = await serve((_request, response, body) => {
      sent = body
      response.end(`{"request_id":"r","data":${body}}`)
    })
    const data = { n: JSON.rawJSON('1.0'), big: JSON.rawJSON('12345678901234567890') }
    const secret = await writeSecret(connect(address), 'secret/x', data)
    expect(sent).toBe('{"big":12345678901234567890,"n":1.0}')
    expect(secret?.data).toEqual(data)
  })

  test('goes through a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyhold-socket-'))
    try {
      const address = await serve(
        (_request, response) => json(response, 200, { data: { a: 1 } }),
        join(folder, 's'),
      )
      expect((await readSecret(connect(address), 'x'))?.data).toEqual({ a: 1 })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('a refusal', () => {
  test('tells method, URL, status and the texts of the server, and never the token', async () => {
    const address = await serve((_request, response) =>
      json(response, 403, { errors: ['permission denied'] }),
    )
    const failed = readSecret(connect(address, { flags: { namespace: 'ns1' } }), 'secret/x')
    await expect(failed).rejects.toThrow(
      `Error making API request.\n\nNamespace: ns1/\nURL: GET ${address}/v1/secret/x\nCode: 403. Errors:\n\n* permission denied`,
    )
    await expect(failed).rejects.toBeInstanceOf(ApiError)
    await expect(failed).rejects.not.toThrow(/hvs/)
  })

  test('that is no JSON is shown as it came', async () => {
    const address = await serve((_request, response) => response.writeHead(500).end('<html>'))
    await expect(readSecret(connect(address), 'x')).rejects.toThrow(
      'Code: 500. Raw Message:\n\n<html>',
    )
  })

  test('by 404 means that there is nothing, unless the answer carries data', async () => {
    const address = await serve((request, response) =>
      request.url === '/v1/gone'
        ? json(response, 404, { request_id: 'r', data: { metadata: {} } })
        : json(response, 404, { errors: [] }),
    )
    expect(await readSecret(connect(address), 'none')).toBeUndefined()
    expect((await readSecret(connect(address), 'gone'))?.data).toEqual({ metadata: {} })
  })

  test('of a write by 404 keeps the warnings beside it', async () => {
    const address = await serve((_request, response) =>
      json(response, 404, { request_id: 'r', data: null, warnings: ['use kv put'] }),
    )
    await expect(writeSecret(connect(address), 'kv/x', {})).rejects.toMatchObject({
      status: 404,
      secret: { warnings: ['use kv put'] },
    })
  })
})

describe('trying again', () => {
  const flaky = (failures: number, status: number) => {
    let requests = 0
    const handle: Handler = (_request, response) => {
      requests += 1
      response.setHeader('Retry-After', '0')
      if (requests <= failures) json(response, status, { errors: ['busy'] })
      else json(response, 200, { data: { requests } })
    }
    return handle
  }

  test.each([412, 429, 500, 502, 503])('is done after %i as often as was set', async (status) => {
    const address = await serve(flaky(2, status))
    const env = { VAULT_MAX_RETRIES: '2' }
    expect((await readSecret(connect(address, { env }), 'x'))?.data).toEqual({ requests: 3 })
  })

  test('is not done where it was not set, nor after a refusal that will not change', async () => {
    const busy = await serve(flaky(1, 503))
    await expect(readSecret(connect(busy), 'x')).rejects.toThrow('Code: 503')
    for (const status of [400, 403, 501]) {
      const address = await serve(flaky(1, status))
      const env = { VAULT_MAX_RETRIES: '2' }
      await expect(readSecret(connect(address, { env }), 'x')).rejects.toThrow(`Code: ${status}`)
    }
  })
})

describe('a redirect', () => {
  test('is followed once, with method, body and token', async () => {
    let seen = ''
    const active = await serve((request, response, body) => {
      seen = `${request.method} ${request.url} ${body} ${String(request.headers['x-vault-token'])}`
      response.writeHead(204).end()
    })
    const standby = await serve((request, response) =>
      response.writeHead(307, { Location: active + (request.url ?? '') }).end(),
    )
    await writeSecret(connect(standby), 'secret/x', { a: 'b' })
    expect(seen).toBe('PUT /v1/secret/x {"a":"b"} hvs.secret-token')
  })

  test('is not followed a second time, nor where that was forbidden', async () => {
    let requests = 0
    const loop = await serve((request, response) => {
      requests += 1
      response.writeHead(307, { Location: request.url }).end()
    })
    await send(connect(loop), { method: 'GET', path: 'x' })
    expect(requests).toBe(2)
    await send(connect(loop, { env: { VAULT_DISABLE_REDIRECTS: 'true' } }), {
      method: 'GET',
      path: 'x',
    })
    expect(requests).toBe(3)
  })
})

describe('the target of a redirect', () => {
  const target = (from: string, location: string, status = 307) =>
    redirectTarget({ url: new URL(from) }, { status, headers: { location } })?.href

  test('may be relative, and may go from http to https', () => {
    expect(target('https://a/v1/x', '/v1/y')).toBe('https://a/v1/y')
    expect(target('http://a/v1/x', 'https://b/v1/x')).toBe('https://b/v1/x')
  })

  test('is never plain http where the request was https: the token would be readable', () => {
    expect(() => target('https://a/v1/x', 'http://a/v1/x')).toThrow(ClientProblem)
  })

  test('is one only with the statuses that say so', () => {
    for (const status of [200, 204, 303, 304])
      expect(target('http://a/', '/x', status)).toBeUndefined()
  })
})

describe('no answer', () => {
  test('is told as Go tells it, with a hint', async () => {
    const failed = readSecret(connect('http://127.0.0.1:1'), 'x')
    await expect(failed).rejects.toThrow(
      'Get "http://127.0.0.1:1/v1/x": dial tcp 127.0.0.1:1: connect: connection refused',
    )
    await expect(failed).rejects.toMatchObject({ hint: expect.stringContaining('nothing listens') })
  })

  test('from a server of plain HTTP that was asked by HTTPS says what to do', async () => {
    const address = await serve((_request, response) => response.end())
    const failed = readSecret(connect(address.replace('http:', 'https:')), 'x')
    await expect(failed).rejects.toBeInstanceOf(ConnectionFailed)
    await expect(failed).rejects.toMatchObject({ hint: expect.stringContaining('plain HTTP') })
  })

  test('within the time that was set is given up', async () => {
    const address = await serve(() => {})
    const env = { VAULT_CLIENT_TIMEOUT: '20ms' }
    await expect(readSecret(connect(address, { env }), 'x')).rejects.toThrow('deadline exceeded')
  })
})

describe('settings that cannot be used', () => {
  test.each([
    ['an address of another kind', 'ftp://h', {}],
    ['half of a client certificate', 'http://h', { clientCert: '/nonexistent' }],
    ['a file that is not there', 'http://h', { caCert: '/nonexistent' }],
    ['a header of our own', 'http://h', { headers: { 'x-vault-token': 't' } }],
  ])('are refused: %s', (_what, address, flags) => {
    expect(() => connect(address, { flags })).toThrow(ClientProblem)
  })

  test('a client certificate may be in the environment itself, as PEM or in base64', () => {
    const pem = '-----BEGIN CERTIFICATE-----'
    const env = {
      VAULT_CLIENT_CERT_BYTES: pem,
      VAULT_CLIENT_KEY_BYTES: Buffer.from('key').toString('base64'),
    }
    const { tls } = connect('http://h', { env })
    expect([tls.cert?.toString(), tls.key?.toString()]).toEqual([pem, 'key'])
    expect(() => connect('http://h', { env: { VAULT_CLIENT_KEY_BYTES: 'a2V5' } })).toThrow(
      'belong together',
    )
  })

  test('a token with a line break is refused without being shown', () => {
    expect(() => connect('http://h', { token: 'abc\nX: y' })).toThrow(/^((?!abc).)*$/s)
  })

  test('a namespace is made canonical', () => {
    for (const text of ['a/b', '/a/b/', ' a/b ']) expect(canonicalNamespace(text)).toBe('a/b/')
    for (const text of ['', '/', 'root']) expect(canonicalNamespace(text)).toBe('')
  })
})

describe('a request that is only shown', () => {
  const shown = async (mode: 'curl' | 'policy', flags: ConnectionFlags = {}): Promise<string> => {
    try {
      await writeSecret(connect('http://h:1', { mode, flags }), 'kv/data/x', { a: "it's" })
    } catch (error) {
      if (error instanceof DryRun) return error.text('keyhold')
      throw error
    }
    throw new Error('it was sent')
  }

  test('is a curl command that asks for the token, quoted for a shell', async () => {
    expect(await shown('curl', { tlsSkipVerify: true })).toBe(
      `curl --insecure -X PUT -H "X-Vault-Request: true" -H "X-Vault-Token: $(keyhold print token)" -d '{"a":"it'"'"'s"}' "http://h:1/v1/kv/data/x"`,
    )
  })

  test('lets no shell run what a path or a header holds', async () => {
    const flags = { headers: { 'X-Own': '$(reboot)' } }
    const show = connect('http://h:1', { mode: 'curl', flags })
    await readSecret(show, 'kv/$HOME').then(
      () => expect.unreachable(),
      (error: unknown) =>
        expect(error instanceof DryRun && error.text('keyhold')).toBe(
          `curl -H 'X-Own: $(reboot)' -H "X-Vault-Request: true" -H "X-Vault-Token: $(keyhold print token)" 'http://h:1/v1/kv/$HOME'`,
        ),
    )
  })

  test('or a policy that allows it', async () => {
    expect(await shown('policy')).toBe(
      'path "kv/data/x" {\n  capabilities = ["create", "update"]\n}',
    )
  })
})
