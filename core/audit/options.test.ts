import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { BadRequest } from '../errors.ts'
import { validateDevice } from './options.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'audit-options-')))
const auditDirectory = join(root, 'audit')
const outside = join(root, 'audit-outside')
mkdirSync(join(auditDirectory, 'below'), { recursive: true })
mkdirSync(outside)
symlinkSync(outside, join(auditDirectory, 'link'))
symlinkSync(auditDirectory, join(root, 'link-to-audit'))
afterAll(() => rmSync(root, { recursive: true }))

const file = (options: Record<string, string>, allowPrefix = false) =>
  validateDevice('file', options, { auditDirectory, allowPrefix })
const discard = (options: Record<string, string>) => file({ file_path: 'discard', ...options })

describe('what is wrong has the text that clients know', () => {
  test.each([
    ['', {}, 'unknown backend type: ""'],
    ['nope', {}, 'unknown backend type: "nope"'],
    ['http', {}, 'uri is required'],
    ['socket', {}, 'address is required'],
    ['file', {}, 'file_path is required'],
    [
      'file',
      { file_path: 'discard', log_raw: 'maybe' },
      'strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    ['file', { file_path: 'discard', format: 'xml' }, 'unknown format type "xml"'],
    [
      'file',
      { file_path: join(auditDirectory, 'a.log'), format: 'jsonx', chain: 'true' },
      '"chain" signs lines of JSON: leave "format" out, or "chain"',
    ],
    [
      'file',
      { file_path: 'discard', prefix: '#!' },
      '"prefix" is not allowed; set "allow_audit_log_prefixing" in the server\'s configuration to allow it',
    ],
  ])('%s %j', (type, options, text) => {
    expect(() => validateDevice(type, options, { auditDirectory })).toThrow(new BadRequest(text))
  })

  test.each([
    'log_raw',
    'hmac_accessor',
    'elide_list_responses',
    'format',
    'mode',
    'file_path',
    'path',
  ])('a secret in the wrong place is not repeated: %s', (option) => {
    const canary = 'Canary/of-a-long-secret'
    const options = option.endsWith('path') ? {} : { file_path: 'discard' }
    expect(() => file({ ...options, [option]: canary })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('Canary') }),
    )
    expect(() => validateDevice(canary, {}, {})).toThrow(
      'unknown backend type; the known ones are "file", "socket", "syslog" and "http"',
    )
  })
})

test('without options everything is hashed, in a file of mode 0600', () => {
  expect(file({ file_path: join(auditDirectory, 'a.log') })).toEqual({
    sink: { kind: 'file', path: join(auditDirectory, 'a.log'), mode: 0o600, auditDirectory },
    format: { logRaw: false, hmacAccessor: true, elideListResponses: false, prefix: '' },
  })
})

test('all options of Vault are taken, unknown ones ignored', () => {
  const options = {
    file_path: 'STDOUT',
    log_raw: '1',
    hmac_accessor: 'F',
    elide_list_responses: 'true',
    prefix: 'P ',
    format: 'json',
    bogus: 'x',
  }
  expect(file(options, true)).toEqual({
    sink: { kind: 'stdout' },
    format: { logRaw: true, hmacAccessor: false, elideListResponses: true, prefix: 'P ' },
  })
})

test('filter, fallback and exclude are read, and an empty one is none', () => {
  const discard = { file_path: 'discard' }
  expect(file({ ...discard, filter: 'path == a' }).selection?.filter).toBeTypeOf('function')
  expect(file({ ...discard, fallback: 'true' }).selection).toEqual({ fallback: true })
  expect(file({ ...discard, filter: '', fallback: 'false', exclude: '' })).toEqual({
    sink: { kind: 'discard' },
    format: { logRaw: false, hmacAccessor: true, elideListResponses: false, prefix: '' },
  })
  const exclude = '[{"fields":["/auth"]}]'
  expect(file({ ...discard, exclude }).format.exclude?.('{"auth":{},"a":1}')).toBe('{"a":1}')
  expect(() => file({ ...discard, filter: 'path == a', fallback: 'true' })).toThrow(
    'cannot configure a fallback device with a filter',
  )
})

test('a prefix cannot break a line in two', () => {
  expect(() => file({ file_path: 'discard', prefix: 'a\nb' }, true)).toThrow(BadRequest)
  expect(() => file({ file_path: 'discard', prefix: 'x'.repeat(65) }, true)).toThrow(BadRequest)
})

test('every mode from 0 to 07777 gives one without executable, set-id and sticky bits', () => {
  for (let mode = 1; mode <= 0o7777; mode++) {
    const { sink } = file({
      file_path: join(auditDirectory, 'a'),
      mode: mode.toString(8).padStart(4, '0'),
    })
    expect(sink).toMatchObject({ mode: (mode & 0o666) | 0o600 })
  }
  expect(file({ file_path: join(auditDirectory, 'a'), mode: '0000' }).sink).toMatchObject({
    mode: 'keep',
  })
})

test.each(['abc', '', '-1', '0x1', '8', '10000', '0o600', '6 0', '0600 '])(
  '%j is no mode',
  (mode) => {
    expect(() => discard({ mode })).toThrow('"mode" must be octal')
  },
)

describe('a file lies in the audit directory, whichever option names it', () => {
  const refused = [
    'a.log',
    './a.log',
    '',
    '/',
    '/etc/passwd',
    auditDirectory,
    `${auditDirectory}/`,
    `${auditDirectory}/../a.log`,
    `${auditDirectory}/below/../a.log`,
    `${auditDirectory}/./a.log`,
    `${auditDirectory}//a.log`,
    `${auditDirectory}/..`,
    `${auditDirectory}/a\0.log`,
    `${auditDirectory}/link/a.log`,
    `${auditDirectory}/missing/a.log`,
    `${auditDirectory}/${'a'.repeat(5000)}`,
    `${outside}/a.log`,
    'file:///etc/passwd',
    'stdout/../x',
  ]
  test.each(refused.flatMap((path) => [['file_path', path] as const, ['path', path] as const]))(
    '%s=%s is refused, and the text names the setting',
    (option, path) => {
      expect(() => file({ [option]: path })).toThrow(BadRequest)
      expect(() => file({ [option]: path })).toThrow('"audit_directory"')
    },
  )

  test.each([`${auditDirectory}/a`, `${auditDirectory}/below/a..b`, `${root}/link-to-audit/a`])(
    '%s is taken',
    (path) => {
      expect(file({ file_path: path }).sink).toMatchObject({ path })
      expect(file({ path }).sink).toMatchObject({ path })
    },
  )

  test('a file may have a "write_timeout"', () => {
    const path = join(auditDirectory, 'a.log')
    expect(file({ path, write_timeout: '500ms' }).sink).toMatchObject({ timeoutMs: 500 })
    expect(file({ path }).sink).not.toHaveProperty('timeoutMs')
    expect(() => file({ path, write_timeout: '2m' })).toThrow('between "1ms" and "60s"')
  })

  test('where both options are given, the one that is used is the one that is checked', () => {
    expect(() => file({ file_path: '/etc/passwd', path: `${auditDirectory}/a` })).toThrow(
      BadRequest,
    )
    expect(file({ file_path: `${auditDirectory}/a`, path: '/etc/passwd' }).sink).toMatchObject({
      path: `${auditDirectory}/a`,
    })
  })

  test('who gives a path outside learns which directory it is, and how to have another', () => {
    const refusal: Error = expect.objectContaining({
      message: expect.stringMatching(`is "${auditDirectory}"; .* write audit_directory = `),
    })
    expect(() => file({ file_path: '/var/log/other.log' })).toThrow(refusal)
  })

  test('an audit directory that is not there is named', () => {
    const missing = join(root, 'missing')
    expect(() =>
      validateDevice('file', { file_path: `${missing}/a` }, { auditDirectory: missing }),
    ).toThrow(`the directory "${missing}", which is "audit_directory"`)
  })

  test('without the setting the refusal says what to write in the configuration', () => {
    expect(() => validateDevice('file', { file_path: '/var/log/a' }, {})).toThrow(
      'audit_directory = "/var/log/keyhold", restart the server',
    )
  })

  test('there is none without the setting, but stdout and discard are', () => {
    expect(() => validateDevice('file', { file_path: '/var/log/a' }, {})).toThrow(
      'set "audit_directory"',
    )
    expect(validateDevice('file', { path: 'Discard' }, {}).sink).toEqual({ kind: 'discard' })
  })
})
