/**
 * Templates of LDIF: Vault's subset of Go's text/template, with the fields of an account and the function `utf16le`, for
 * Active Directory's passwords (`{{ printf "%q" .Password | utf16le | base64 }}`).
 */
import { BadRequest } from '../../core/errors.ts'
import {
  FUNCTION_NAMES,
  templateFunctions,
  type FunctionContext,
} from '../../core/plugin/template/functions.ts'
import { parseTemplate, TemplateError } from '../../core/plugin/template/parse.ts'
import {
  renderTemplate,
  TemplateFailure,
  type TemplateFunction,
} from '../../core/plugin/template/run.ts'
import { parseLdif, type LdifRecord } from './ldif.ts'

/** Who an account is for, and until when. */
export interface AccountFacts {
  readonly username: string
  readonly password: string
  readonly displayName: string
  readonly roleName: string
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

const FIELDS = new Set([
  'Username',
  'Password',
  'DisplayName',
  'RoleName',
  'IssueTime',
  'IssueTimeSeconds',
  'ExpirationTime',
  'ExpirationTimeSeconds',
])
const NAMES = { functions: new Set([...FUNCTION_NAMES, 'utf16le']), fields: FIELDS }
/** Begins a text that stands for bytes, a character each: what `utf16le` gives to `base64`. */
const BYTES = '\u{f0000}'
/** What a template is tried with when it is written. */
const SAMPLE: AccountFacts = {
  username: 'testuser',
  password: 'testpass',
  displayName: 'testdisplayname',
  roleName: 'testrolename',
  issuedAtMs: 0,
  expiresAtMs: 0,
}
const NO_RANDOM: FunctionContext = {
  random: { base62: (length) => 'x'.repeat(length), uuid: () => 'x' },
  nowMs: 0,
}
/** No name of a token may end a line of LDIF, or a part of a DN. */
const NOT_PLAIN = /[^\p{L}\p{M}\p{N}_.@ -]/gu

/** @throws {BadRequest} it is no template, or what it gives is no LDIF */
export function checkLdifTemplate(field: string, template: string): void {
  try {
    parseLdif(renderLdif(template, SAMPLE, NO_RANDOM))
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error
    throw new BadRequest(`invalid ${field}: ${error.message}`)
  }
}

/** @throws {BadRequest} it is no template */
export function renderLdif(
  template: string,
  account: AccountFacts,
  context: FunctionContext,
): string {
  const functions = new Map([...templateFunctions(context), ...OWN_FUNCTIONS])
  return asBadRequest(() =>
    renderTemplate(parseTemplate(template, NAMES), { fields: fieldsOf(account), functions }),
  )
}

/** Parses and renders. @throws {BadRequest} */
export function ldifOf(
  template: string,
  account: AccountFacts,
  context: FunctionContext,
): readonly LdifRecord[] {
  return parseLdif(renderLdif(template, account, context))
}

const OWN_FUNCTIONS: readonly [string, TemplateFunction][] = [
  ['utf16le', (text) => BYTES + Buffer.from(String(text ?? ''), 'utf16le').toString('latin1')],
  ['base64', (text) => base64(String(text ?? ''))],
]

function base64(text: string): string {
  return text.startsWith(BYTES)
    ? Buffer.from(text.slice(BYTES.length), 'latin1').toString('base64')
    : Buffer.from(text).toString('base64')
}

function fieldsOf(account: AccountFacts): ReadonlyMap<string, string> {
  const { issuedAtMs, expiresAtMs } = account
  return new Map([
    ['Username', account.username],
    ['Password', account.password],
    ['DisplayName', account.displayName.replaceAll(NOT_PLAIN, '_')],
    ['RoleName', account.roleName],
    ['IssueTime', rfc3339(issuedAtMs)],
    ['IssueTimeSeconds', seconds(issuedAtMs)],
    ['ExpirationTime', rfc3339(expiresAtMs)],
    ['ExpirationTimeSeconds', seconds(expiresAtMs)],
  ])
}

const rfc3339 = (ms: number) => new Date(ms).toISOString().replace(/\.\d+/, '')
const seconds = (ms: number) => String(Math.floor(ms / 1000))

function asBadRequest(render: () => string): string {
  try {
    return render()
  } catch (error) {
    if (error instanceof TemplateError || error instanceof TemplateFailure) {
      throw new BadRequest(`invalid template: ${error.message}`)
    }
    throw error
  }
}
