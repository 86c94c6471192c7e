import { describe, expect, test } from 'vitest'
import { BadRequest } from '../errors.ts'
import {
  canonicalAddress,
  contains,
  forwardedClient,
  parseRanges,
  type ForwardedFor,
} from './client-address.ts'

function ranges(...texts: string[]) {
  const parsed = parseRanges(texts)
  if ('invalid' in parsed) throw new Error(parsed.invalid)
  return parsed.list
}

const strict: ForwardedFor = {
  authorized: ranges('10.0.0.0/8', 'fd00::/8'),
  hopSkips: 0,
  rejectNotAuthorized: true,
  rejectNotPresent: true,
}
const proxy = { address: '10.1.2.3', port: 4000 }
const stranger = { address: '192.0.2.9', port: 4000 }
const from = (peer: typeof proxy, header: string | undefined, rules: Partial<ForwardedFor> = {}) =>
  forwardedClient(peer, header, { ...strict, ...rules }).address

test('a trusted proxy names the client', () => {
  expect(from(proxy, '192.0.2.1')).toBe('192.0.2.1')
  expect(from(proxy, '1.1.1.1, 192.0.2.1')).toBe('192.0.2.1')
  expect(from({ address: 'fd00::1', port: 1 }, '2001:DB8:0::1')).toBe('2001:db8::1')
})

test('proxies of our own at the end of the header are skipped', () => {
  expect(from(proxy, '1.2.3.4, 2.3.4.5, 3.4.5.6', { hopSkips: 1 })).toBe('2.3.4.5')
  expect(from(proxy, '1.2.3.4,2.3.4.5,3.4.5.6', { hopSkips: 2 })).toBe('1.2.3.4')
  expect(() => from(proxy, '1.2.3.4', { hopSkips: 1 })).toThrow(
    /fewer than x_forwarded_for_hop_skips/,
  )
})

test('a stranger that sends the header is refused, or believed only about itself', () => {
  expect(() => from(stranger, '10.9.9.9')).toThrow(BadRequest)
  expect(from(stranger, '10.9.9.9', { rejectNotAuthorized: false })).toBe(stranger.address)
})

test('a request without the header is refused, or taken as from the peer', () => {
  expect(() => from(proxy, undefined)).toThrow(/missing X-Forwarded-For/)
  expect(() => from(proxy, '')).toThrow(/missing X-Forwarded-For/)
  expect(from(proxy, undefined, { rejectNotPresent: false })).toBe(proxy.address)
  expect(from(stranger, undefined, { rejectNotPresent: false })).toBe(stranger.address)
})

test.each([
  '',
  'x',
  'localhost',
  '1.2.3',
  '1.2.3.256',
  '01.2.3.4',
  '0x7f.1',
  '1.2.3.4/8',
  '[::1',
  '::1]',
  '1.1.1.1,',
])('the hop %j is refused', (hop) => {
  expect(() => from(proxy, `9.9.9.9, ${hop}`)).toThrow(BadRequest)
})

test.each([
  ['1.2.3.4', '1.2.3.4'],
  ['1.2.3.4:80', '1.2.3.4'],
  ['[::1]:80', '::1'],
  ['[::1]', '::1'],
  ['::ffff:1.2.3.4', '1.2.3.4'],
  ['::FFFF:102:304', '1.2.3.4'],
  ['0:0:0:0:0:ffff:1.2.3.4', '1.2.3.4'],
  ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
])('the hop %s is the address %s', (hop, address) => {
  expect(from(proxy, hop)).toBe(address)
})

describe('ranges', () => {
  test('hold what they should, whatever the spelling', () => {
    const list = ranges('10.0.0.0/8', '192.0.2.1', '2001:db8::/32')
    const inside = ['10.255.0.1', '192.0.2.1', '2001:db8::5', '::ffff:10.0.0.1']
    const outside = ['11.0.0.1', '192.0.2.2', '2001:db9::', '::1', '']
    for (const address of inside) expect(contains(list, canonicalAddress(address) ?? '')).toBe(true)
    for (const address of outside)
      expect(contains(list, canonicalAddress(address) ?? '')).toBe(false)
  })

  test.each(['', 'x', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '10/8', '::/129', '10.0.0.0/8/8'])(
    '%j is none',
    (text) => {
      expect(parseRanges([text])).toEqual({ invalid: text })
    },
  )

  test('an address loses its zone', () => {
    expect(canonicalAddress('fe80::1%eth0')).toBe('fe80::1')
  })
})
