import { expect, test } from 'vitest'
import type { Json } from '../../../core/json.ts'
import type { RawResponse } from '../../support/raw-http.ts'
import { checkAnswer } from './check-answer.ts'
import type { RequestStep } from './recording.ts'

const envelope = { request_id: '<uuid>', lease_id: '', renewable: false, lease_duration: 0 }
const rest = { wrap_info: null, warnings: null, auth: null }
const uuid = '6f1a8f6e-1c7b-4d9e-9d62-0a4b1d1f7a11'

function step(
  status: number,
  response?: Json,
  responseHeaders: RequestStep['responseHeaders'] = {},
): RequestStep {
  return {
    kind: 'request',
    n: 1,
    method: 'GET',
    path: '/v1/x',
    token: undefined,
    headers: {},
    body: undefined,
    bodyText: undefined,
    save: {},
    compute: {},
    repeatUntilStatus: undefined,
    repeatUntilMatch: undefined,
    unordered: false,
    status,
    responseHeaders,
    response,
    responseText: undefined,
    unknown: [],
  }
}

function answer(status: number, text: string, headers: Record<string, string> = {}): RawResponse {
  const usual = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
  }
  return { status, text, headers: new Map(Object.entries({ ...usual, ...headers })) }
}

const check = (expected: RequestStep, got: RawResponse) => checkAnswer(expected, got, new Map())

test('the recorded answer passes', () => {
  const recorded = { ...envelope, data: { n: 1, list: ['a', '<time>'] }, ...rest }
  const got = { ...recorded, request_id: uuid, data: { list: ['a', '2026-01-02T03:04:05Z'], n: 1 } }
  expect(check(step(200, recorded), answer(200, JSON.stringify(got)))).toEqual([])
})

test.each([
  ['another status', answer(201, '{"a":1}')],
  ['another number', answer(200, '{"a":2}')],
  ['a number of another spelling', answer(200, '{"a":1.0}')],
  ['another type', answer(200, '{"a":"1"}')],
  ['a missing key', answer(200, '{}')],
  ['a further key', answer(200, '{"a":1,"b":2}')],
  ['no JSON', answer(200, 'a')],
  ['another content type', answer(200, '{"a":1}', { 'content-type': 'text/plain' })],
  ['a redirect that was not recorded', answer(200, '{"a":1}', { location: '/' })],
])('%s does not', (_what, got) => {
  expect(check(step(200, { a: 1 }), got)).not.toEqual([])
})

test('the envelope keeps its order, copies before it do not', () => {
  const recorded = { b: 1, a: 2, ...envelope, data: { a: 2, b: 1 }, ...rest }
  const moved = { a: 2, b: 1, ...envelope, request_id: uuid, data: { a: 2, b: 1 }, ...rest }
  expect(check(step(200, recorded), answer(200, JSON.stringify(moved)))).toEqual([])
  const { auth, ...others } = moved
  expect(check(step(200, recorded), answer(200, JSON.stringify({ auth, ...others })))).toEqual([
    expect.stringContaining('order of keys'),
  ])
})

test("a user's mistake that was recorded as 500 passes as 4xx with the same text, in both forms", () => {
  const recorded = step(500, { errors: ['1 error occurred:\n\t* role_id already in use\n\n'] })
  expect(check(recorded, answer(400, '{"errors":["role_id already in use"]}'))).toEqual([])
  expect(check(recorded, answer(400, JSON.stringify(recorded.response)))).toEqual([])
  expect(check(recorded, answer(400, '{"errors":["something else"]}'))).not.toEqual([])
  expect(
    check(step(400, recorded.response), answer(403, JSON.stringify(recorded.response))),
  ).not.toEqual([])
  expect(
    check(
      step(503, { errors: ['Vault is sealed'] }),
      answer(400, '{"errors":["Vault is sealed"]}'),
    ),
  ).not.toEqual([])
})
