import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson } from '../json.ts'
import { EntryWriter, type EntryFormat } from './entry.ts'
import {
  DEFAULT_AUDITED_HEADERS,
  type AuthFacts,
  type MountFacts,
  type RequestEntry,
  type ResponseEntry,
} from './facts.ts'
import { SaltedHash } from './salted-hash.ts'
import { memberOf, parseObject } from '../../test/support/json.ts'

const hash = new SaltedHash(Buffer.from('a salt'))
const HASHED: EntryFormat = {
  logRaw: false,
  hmacAccessor: true,
  elideListResponses: false,
  prefix: '',
}
const timeMs = Date.UTC(2025, 10, 24, 8, 0, 0, 120)
const time = '2025-11-24T08:00:00.12Z'

const mount: MountFacts = {
  path: 'kv/',
  type: 'kv',
  accessor: 'kv_01234567',
  runningVersion: 'v0.1.0+builtin',
  class: 'secret',
}
const auth: AuthFacts = {
  clientToken: 's.token',
  accessor: 'anAccessor',
  displayName: 'token-ci',
  policies: ['default'],
  tokenPolicies: ['default'],
  policyResults: {
    allowed: true,
    grantingPolicies: [{ name: 'default', namespaceId: 'root', type: 'acl' }],
  },
  metadata: { team: 'x', area: 'y' },
  tokenType: 'service',
  tokenTtlSeconds: 3600,
  tokenIssueTimeMs: timeMs,
}
const request = {
  id: '7f1c9a52-0000-4000-8000-000000000000',
  clientId: 'c/l=',
  operation: 'update',
  mount,
  clientToken: 's.token',
  clientTokenAccessor: 'anAccessor',
  namespace: { id: 'root', path: '' },
  path: 'kv/data/app',
  data: { options: { cas: 0 }, data: { user: 'alice', port: 5432 } },
  remoteAddress: '127.0.0.1',
  remotePort: 4711,
}

function writer(format: Partial<EntryFormat> = {}): EntryWriter {
  return new EntryWriter(hash, { ...HASHED, ...format })
}

function requestLine(entry: Partial<RequestEntry>, format: Partial<EntryFormat> = {}): string {
  return writer(format).requestLine({ timeMs, auth: { tokenType: 'default' }, request, ...entry })
}

function responseLine(entry: Partial<ResponseEntry>, format: Partial<EntryFormat> = {}): string {
  return writer(format).responseLine({
    timeMs,
    auth: { tokenType: 'default' },
    request,
    response: {},
    ...entry,
  })
}

/** `data` as it stands in the request entry. */
function logged(data: Record<string, unknown>, format: Partial<EntryFormat> = {}): unknown {
  const line = parseJson(requestLine({ request: { ...request, data } }, format))
  return memberOf(line, 'request', 'data')
}

describe('a line has the keys of Vault in the order of Vault', () => {
  test('of a request', () => {
    const { token, accessor } = { token: hash.of('s.token'), accessor: hash.of('anAccessor') }
    expect(requestLine({ auth })).toBe(
      `{"time":"${time}","type":"request","auth":{"client_token":"${token}","accessor":"${accessor}",` +
        '"display_name":"token-ci","policies":["default"],"token_policies":["default"],' +
        '"policy_results":{"allowed":true,"granting_policies":[{"name":"default","namespace_id":"root","type":"acl"}]},' +
        `"metadata":{"area":"y","team":"x"},"token_type":"service","token_ttl":3600,"token_issue_time":"${time}"},` +
        '"request":{"id":"7f1c9a52-0000-4000-8000-000000000000","client_id":"c/l=","operation":"update",' +
        '"mount_point":"kv/","mount_type":"kv","mount_accessor":"kv_01234567",' +
        '"mount_running_version":"v0.1.0+builtin","mount_class":"secret",' +
        `"client_token":"${token}","client_token_accessor":"${accessor}",` +
        `"namespace":{"id":"root"},"path":"kv/data/app","data":{"data":{"port":5432,"user":"${hash.of('alice')}"},` +
        '"options":{"cas":0}},"remote_address":"127.0.0.1","remote_port":4711}}\n',
    )
  })

  test('of an answer with a lease', () => {
    const response = {
      mount,
      leaseId: 'ssh/creds/o/x',
      data: { port: 22, key: 'k' },
      warnings: ['careful'],
    }
    expect(responseLine({ response }).split(',"response":')[1]).toBe(
      '{"mount_point":"kv/","mount_type":"kv","mount_accessor":"kv_01234567",' +
        '"mount_running_plugin_version":"v0.1.0+builtin","mount_class":"secret","secret":{"lease_id":"ssh/creds/o/x"},' +
        `"data":{"key":"${hash.of('k')}","port":22},"warnings":["careful"]}}\n`,
    )
  })

  test('of a wrapped answer', () => {
    const wrapInfo = {
      ttlSeconds: 60,
      token: 's.wrapping',
      accessor: 'w',
      creationTimeMs: timeMs,
      creationPath: 'auth/token/create',
      wrappedAccessor: 'inner',
    }
    expect(responseLine({ response: { wrapInfo } }).split(',"response":')[1]).toBe(
      `{"wrap_info":{"ttl":60,"token":"${hash.of('s.wrapping')}","accessor":"${hash.of('w')}",` +
        `"creation_time":"${time}","creation_path":"auth/token/create","wrapped_accessor":"${hash.of('inner')}"}}}\n`,
    )
  })

  test('of a login, with what is rare', () => {
    const granted: AuthFacts = {
      ...auth,
      policyResults: undefined,
      identityPolicies: ['id'],
      noDefaultPolicy: true,
      numUses: 5,
      remainingUses: 4,
      entityId: 'e',
      entityCreated: true,
      tokenType: 'batch',
    }
    const line = responseLine({ auth: granted, response: { auth: granted, mount } })
    const text = JSON.stringify(memberOf(JSON.parse(line), 'auth'))
    expect(Object.keys(parseObject(text))).toEqual(
      'client_token accessor display_name policies token_policies identity_policies no_default_policy metadata num_uses remaining_uses entity_id entity_created token_type token_ttl token_issue_time'.split(
        ' ',
      ),
    )
    expect(line).toContain(`"response":{"auth":${text},"mount_point"`)
  })

  test('of a refusal', () => {
    const error = '1 error occurred:\n\t* permission denied\n\n'
    const line = responseLine({
      request: { ...request, mount: undefined, clientToken: undefined, clientId: undefined },
      response: { data: { error } },
      error,
    })
    expect(line).toContain(
      `"response":{"data":{"error":"${hash.of(error)}"}},"error":"1 error occurred:\\n\\t* permission`,
    )
    expect(line).not.toContain('mount_')
  })

  test('of a namespace, a wrapping request, a client certificate', () => {
    const line = requestLine({
      request: {
        ...request,
        data: {},
        namespace: { id: 'abcdef', path: 'team/' },
        wrapTtlSeconds: 60,
        headers: { 'user-agent': 'agent/1' },
        auditedHeaders: DEFAULT_AUDITED_HEADERS,
        clientCertificateSerialNumber: '17',
      },
    })
    expect(line).toContain(
      '"namespace":{"id":"abcdef","path":"team/"},"path":"kv/data/app","remote_address":"127.0.0.1","remote_port":4711,' +
        '"wrap_ttl":60,"headers":{"user-agent":["agent/1"]},"client_certificate_serial_number":"17"}}\n',
    )
  })
})

describe('in data', () => {
  test('every string is hashed at any depth, each element of a list by itself; nothing else is', () => {
    const data = { a: 's', b: [1, 's', ['s', null]], c: { d: { e: true, f: 's' } }, '': '' }
    const s = hash.of('s')
    expect(logged(data)).toEqual({
      '': hash.of(''),
      a: s,
      b: [1, s, [s, null]],
      c: { d: { e: true, f: s } },
    })
  })

  test('bytes are hashed as bytes, whatever holds them', () => {
    const bytes = Buffer.from('secret bytes')
    const expected = hash.of('secret bytes')
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const copy = new Uint8Array(bytes)
    expect(logged({ a: bytes, b: new Uint8Array(bytes), c: view, d: [copy.buffer] })).toEqual({
      a: expected,
      b: expected,
      c: expected,
      d: [expected],
    })
  })

  test('times are written, and not hashed', () => {
    expect(logged({ at: new Date(timeMs), never: new Date(Number.NaN) })).toEqual({
      at: time,
      never: null,
    })
  })

  test('numbers keep their text', () => {
    const data = parseObject('{"a":1.0,"b":12345678901234567890,"c":-0.0,"d":1e400}')
    expect(requestLine({ request: { ...request, data } })).toContain(
      '"data":{"a":1.0,"b":12345678901234567890,"c":-0.0,"d":1e400}',
    )
  })

  test('what JSON has no form for is left out', () => {
    const data = { a: undefined, b: () => 'canary', c: [undefined, Number.NaN], d: 10n ** 20n }
    expect(requestLine({ request: { ...request, data } })).toContain(
      '"data":{"c":[null,null],"d":100000000000000000000}',
    )
  })

  test('a string is clear only if its nearest key is one of those that the mount says', () => {
    const clearMount = { ...mount, clearRequestKeys: new Set(['options', 'keys', 'bytes']) }
    const data = {
      options: { note: 'n' },
      keys: ['a', { x: 'b' }],
      deep: { keys: 'c' },
      bytes: Buffer.from('x'),
    }
    const line = requestLine({ request: { ...request, mount: clearMount, data } })
    expect(memberOf(JSON.parse(line), 'request', 'data')).toEqual({
      options: { note: hash.of('n') },
      keys: ['a', { x: hash.of('b') }],
      deep: { keys: 'c' },
      bytes: hash.of('x'),
    })
  })

  test('request keys do not clear the answer, nor the other way round', () => {
    const clearMount = {
      ...mount,
      clearRequestKeys: new Set(['a']),
      clearResponseKeys: new Set(['b']),
    }
    const line = responseLine({
      request: { ...request, mount: clearMount, data: { a: 'clear', b: 'hidden' } },
      response: { mount: clearMount, data: { a: 'hidden', b: 'clear' } },
    })
    expect(line).toContain(`"data":{"a":"clear","b":"${hash.of('hidden')}"}`)
    expect(line).toContain(`"data":{"a":"${hash.of('hidden')}","b":"clear"}`)
  })

  test('no canary gets into a line, however deep and in whatever it lies', () => {
    const CANARY = 'canary-7d1f'
    const holder = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 6 },
        fc.constant(CANARY),
        fc.constantFrom(`x${CANARY}`, `${CANARY}"\\<`, CANARY.repeat(200)),
        fc.constant(Buffer.from(CANARY)),
        fc.constant(new Uint8Array(Buffer.from(CANARY)).buffer),
        fc.constant({ toJSON: () => CANARY }),
        fc.constant(new URL(`http://${CANARY}/`)),
        fc.constant(new Map([[CANARY, CANARY]])),
        fc.constant(() => CANARY),
        fc.array(tie('any')),
        fc.dictionary(fc.constantFrom('a', 'b', '__proto__', '1', 'toJSON', 'rawJSON'), tie('any')),
      ),
    }))
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('k', 'error', 'http_raw_body'), holder.any),
        (data) => {
          const response = { data, auth: { ...auth, clientToken: CANARY, accessor: CANARY } }
          const line = responseLine({
            request: { ...request, data, clientToken: CANARY, clientTokenAccessor: CANARY },
            response,
          })
          expect(line).not.toContain('canary')
          expect(line).not.toContain(Buffer.from(CANARY).toString('base64').slice(0, 12))
          expect(line.indexOf('\n')).toBe(line.length - 1)
          expect(() => JSON.parse(line)).not.toThrow()
        },
      ),
    )
  })
})

describe('the options of a device', () => {
  const list = {
    request: { ...request, operation: 'list', data: undefined },
    response: { mount, data: { keys: ['a', 'b'], key_info: { a: { x: 's' } }, other: 's' } },
  }

  test('log_raw shows tokens, accessors and data', () => {
    const line = requestLine(
      { auth, request: { ...request, data: { a: 's', b: Buffer.from('s') } } },
      { logRaw: true },
    )
    expect(line).toContain('"client_token":"s.token","accessor":"anAccessor"')
    expect(line).toContain('"data":{"a":"s","b":"cw=="}')
    expect(line).not.toContain('hmac-sha256')
  })

  test('hmac_accessor=false shows accessors, and nothing else', () => {
    const line = requestLine({ auth }, { hmacAccessor: false })
    expect(line).toContain('"accessor":"anAccessor"')
    expect(line).toContain('"client_token_accessor":"anAccessor"')
    expect(line).not.toContain('s.token')
    expect(line).not.toContain('alice')
  })

  test.each(['list', 'scan'])(
    'elide_list_responses makes counts of the lists of a %s',
    (operation) => {
      const entry = { ...list, request: { ...list.request, operation } }
      expect(responseLine(entry, { elideListResponses: true })).toContain(
        `"data":{"key_info":1,"keys":2,"other":"${hash.of('s')}"}`,
      )
      expect(list.response.data.keys).toEqual(['a', 'b'])
      expect(responseLine(entry)).toContain(`"keys":["${hash.of('a')}","${hash.of('b')}"]`)
    },
  )

  test('elide_list_responses leaves other operations alone', () => {
    const entry = { ...list, request: { ...list.request, operation: 'read' } }
    expect(responseLine(entry, { elideListResponses: true })).toContain('"keys":["hmac')
  })

  test('a prefix stands before each line', () => {
    expect(requestLine({}, { prefix: 'P ' })).toMatch(/^P \{"time"/)
  })
})

describe('request headers', () => {
  const headers = {
    'user-agent': 'agent/1',
    'x-two': ['a', 'b'],
    'x-vault-token': 's.token',
    authorization: 'Bearer s.token',
    'x-other': 'canary',
  }

  test('only those that are to be audited are, sorted, hashed as each says', () => {
    const auditedHeaders = new Map([
      ['x-two', { hmac: true }],
      ['user-agent', { hmac: false }],
      ['absent', { hmac: false }],
    ])
    expect(requestLine({ request: { ...request, headers, auditedHeaders } })).toContain(
      `"headers":{"user-agent":["agent/1"],"x-two":["${hash.of('a')}","${hash.of('b')}"]}`,
    )
  })

  test('one named as a member that every object has is one that was not sent', () => {
    const auditedHeaders = new Map(
      ['constructor', 'tostring', '__proto__'].map((name) => [name, { hmac: true }]),
    )
    expect(requestLine({ request: { ...request, headers, auditedHeaders } })).not.toContain(
      '"headers"',
    )
  })

  test('a token is hashed even if an operator asked for the clear, and in a raw log', () => {
    const auditedHeaders = new Map(
      ['x-vault-token', 'authorization'].map((name) => [name, { hmac: false }]),
    )
    const entry = { request: { ...request, clientToken: undefined, headers, auditedHeaders } }
    expect(requestLine(entry)).not.toContain('s.token')
    expect(requestLine(entry, { logRaw: true })).not.toContain('s.token')
  })

  test('none is logged without a configuration', () => {
    expect(requestLine({ request: { ...request, headers } })).not.toContain('headers')
  })
})

test('what Go escapes is escaped, wherever it stands', () => {
  const strange = '<a>&\u2028"\\\n\u0007\ud800é'
  const line = requestLine({
    auth: { ...auth, displayName: strange, metadata: { [strange]: strange } },
    request: { ...request, path: strange, data: { [strange]: 1 } },
    error: strange,
  })
  expect(line).not.toMatch(/[<>&\u2028]/)
  const parsed = parseObject(line)
  expect(parsed['error']).toBe(strange)
  expect(memberOf(parsed, 'request', 'path')).toBe(strange)
  expect(memberOf(parsed, 'request', 'data')).toEqual({ [strange]: 1 })
  expect(line).toContain('\\u003ca\\u003e\\u0026\\u2028')
})

test('two devices share nothing: the raw one does not show in the other, nor the other in it', () => {
  const other = new EntryWriter(new SaltedHash(Buffer.from('another salt')), HASHED)
  const raw = writer({ logRaw: true })
  const facts = { timeMs, auth, request, response: { mount, data: { a: 'alice' } } }
  const lines = [
    raw.requestLine(facts),
    other.requestLine(facts),
    raw.responseLine(facts),
    other.responseLine(facts),
  ]
  expect(lines[0]).toContain('alice')
  expect(lines[2]).not.toContain('hmac')
  expect(`${lines[1]}${lines[3]}`).not.toMatch(/alice|s\.token|anAccessor/)
  expect(lines[1]).not.toContain(hash.of('alice'))
})
