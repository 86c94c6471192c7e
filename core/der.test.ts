import { expect, test } from 'vitest'
import { bitString, der, integer, oid, sequence, time } from './der.ts'

test.each([
  [0, '0400'],
  [127, '047f'],
  [128, '048180'],
  [256, '04820100'],
  [65_536, '0483010000'],
])('a value of %i bytes says its length in as few bytes as can be', (length, head) => {
  const value = der(0x04, Buffer.alloc(length))
  expect(value.subarray(0, value.length - length).toString('hex')).toBe(head)
})

test.each([
  ['00', '020100'],
  ['7f', '02017f'],
  ['80', '02020080'],
  ['0001', '020101'],
  ['', '020100'],
])('the number %s is never negative, and has no zeros before it', (hex, text) => {
  expect(integer(Buffer.from(hex, 'hex')).toString('hex')).toBe(text)
})

test.each([
  ['1.2.840.10045.4.3.2', '06082a8648ce3d040302'],
  ['2.5.29.17', '0603551d11'],
])('the identifier %s', (dotted, hex) => {
  expect(oid(dotted).toString('hex')).toBe(hex)
})

test('a time has two digits of the year up to 2049, and four from then on', () => {
  expect(time(Date.UTC(2026, 10, 24, 8, 9, 10, 999)).toString('latin1', 2)).toBe('261124080910Z')
  expect(time(Date.UTC(2050, 0, 1)).toString('latin1', 2)).toBe('20500101000000Z')
})

test('bits and sequences hold what they are given', () => {
  expect(sequence(bitString(Buffer.from([0x80]), 7)).toString('hex')).toBe('300403020780')
})
