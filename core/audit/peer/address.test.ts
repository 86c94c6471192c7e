import { expect, test } from 'vitest'
import { BadRequest } from '../../errors.ts'
import { parsePeer, readWriteTimeout } from './address.ts'

test.each([
  ['127.0.0.1:90', 'tcp', { kind: 'tcp', host: '127.0.0.1', port: 90, family: 0 }],
  ['[::1]:90', 'tcp6', { kind: 'tcp', host: '::1', port: 90, family: 6 }],
  [':90', 'tcp4', { kind: 'tcp', host: 'localhost', port: 90, family: 4 }],
  ['logs.example:65535', 'tls', { kind: 'tls', host: 'logs.example', port: 65_535 }],
  ['127.0.0.1:514', 'udp', { kind: 'udp', host: '127.0.0.1', port: 514, family: 4 }],
  ['[::1]:514', 'udp', { kind: 'udp', host: '::1', port: 514, family: 6 }],
  ['/run/log.sock', 'unix', { kind: 'unix', path: '/run/log.sock' }],
])('%s over %s', (address, type, peer) => {
  expect(parsePeer(address, type, {})).toEqual(peer)
})

test.each([
  ['', 'tcp'],
  ['127.0.0.1', 'tcp'],
  ['127.0.0.1:0', 'tcp'],
  ['127.0.0.1:65536', 'udp'],
  ['::1:90', 'tcp'],
  ['a b:90', 'tcp'],
  ['http://a:90', 'tcp'],
  ['run/log.sock', 'unix'],
  [`/${'a'.repeat(107)}`, 'unix'],
  ['/a\0b', 'unix'],
  ['/dev/log', 'unixgram'],
  ['127.0.0.1:90', 'sctp'],
])('%j is no address over %s, and is not repeated', (address, type) => {
  expect(() => parsePeer(address, type, {})).toThrow(BadRequest)
  expect(() => parsePeer(`${address}canary`, type, {})).toThrow(/^(?!.*canary)/)
})

test('a certificate that is none is refused', () => {
  expect(() => parsePeer('a:1', 'tls', { ca_cert: '/etc/ssl/ca.pem' })).toThrow(
    'the text, not a file',
  )
})

test('the write timeout is two seconds, or what was given in its bounds', () => {
  expect(readWriteTimeout({})).toBe(2_000)
  expect(readWriteTimeout({ write_timeout: '500ms' })).toBe(500)
  expect(readWriteTimeout({ write_timeout: '5' })).toBe(5_000)
  for (const text of ['0', '61s', '-1s', 'soon', ''])
    expect(() => readWriteTimeout({ write_timeout: text })).toThrow(BadRequest)
})
