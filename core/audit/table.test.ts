import { describe, expect, test } from 'vitest'
import { BadRequest } from '../errors.ts'
import { systemRandom } from '../random.ts'
import {
  addDevice,
  auditTableSchema,
  EMPTY_AUDIT_TABLE,
  findDevice,
  newDevice,
  removeDevice,
} from './table.ts'

const device = (path: string) =>
  newDevice({ path, type: 'file', options: { file_path: 'discard' } }, systemRandom)
const table = (...paths: string[]) => paths.map(device).reduce(addDevice, EMPTY_AUDIT_TABLE)

test('a stored table is read as it was written', () => {
  const one = table('b', 'a/')
  expect(auditTableSchema.parse(JSON.parse(JSON.stringify(one)))).toEqual(one)
  expect(one.devices.map(({ path }) => path)).toEqual(['a/', 'b/'])
})

test('each device has its own salt of 32 bytes', () => {
  const salts = table('a', 'b').devices.map(({ salt }) => Buffer.from(salt, 'base64'))
  expect(salts.map(({ length }) => length)).toEqual([32, 32])
  expect(salts[0]).not.toEqual(salts[1])
})

describe('a path is in use', () => {
  test.each(['f', 'f/', 'f/g', 'f/g/h'])('%s, once there is f', (path) => {
    expect(() => addDevice(table('f'), device(path))).toThrow(new BadRequest('path already in use'))
  })
  test('f, once there is f/g', () => {
    expect(() => addDevice(table('f/g'), device('f'))).toThrow(BadRequest)
  })
  test('but not ff, once there is f', () => {
    expect(addDevice(table('f'), device('ff')).devices).toHaveLength(2)
  })
})

test('disabling finds a device with or without the slash; what is absent changes nothing', () => {
  const one = table('f', 'g')
  expect(findDevice(one, 'f')).toBe(findDevice(one, 'f/'))
  expect(findDevice(removeDevice(one, 'f/'), 'f')).toBeUndefined()
  expect(removeDevice(one, 'none')).toBe(one)
})
