import { expect, test } from 'vitest'
import { hiddenLine } from './terminal.ts'

test('a hidden line ends with Enter, whether typed key by key or pasted with it', () => {
  const typed = hiddenLine()
  expect(['a', 'b', '\r'].map((key) => typed.type(key))).toEqual(['more', 'more', 'done'])
  expect(typed.text()).toBe('ab')

  const pasted = hiddenLine()
  expect(pasted.type('key+/=\n')).toBe('done')
  expect(pasted.text()).toBe('key+/=')
})

test('backspace takes one character back, Ctrl-U all of them', () => {
  const line = hiddenLine()
  line.type('xyz\u007f\b')
  expect(line.text()).toBe('x')
  line.type('\u0015new\r')
  expect(line.text()).toBe('new')
})

test('input that ends, before or after the prompt takes the terminal, ends a line that was begun', () => {
  for (const end of ['\u0004', '\u0000']) {
    const begun = hiddenLine()
    expect(begun.type(`key${end}`)).toBe('done')
    expect(begun.text()).toBe('key')
    expect(hiddenLine().type(end)).toBe('ended')
    expect(hiddenLine().type(`x\u007f${end}`)).toBe('ended')
  }
})

test('Ctrl-C interrupts, and Ctrl-D ends the line', () => {
  expect(hiddenLine().type('abc\u0003')).toBe('interrupted')
  expect(hiddenLine().type('abc\u0004')).toBe('done')
})
