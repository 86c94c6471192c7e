/**
 * Templates of the names that an engine gives to accounts in other systems: Vault's subset of Go's text/template with its
 * functions, and the fields `.DisplayName` and `.RoleName` (contract: engines-db-pki.md, A2.3).
 */
import { BadRequest } from '../errors.ts'
import type { Random } from '../random.ts'
import { FUNCTION_NAMES, templateFunctions } from './template/functions.ts'
import { parseTemplate, TemplateError } from './template/parse.ts'
import { renderTemplate, TemplateFailure } from './template/run.ts'

/** Whom an account is for. */
export interface NamedFor {
  /** Of the token; anything that a login method takes. */
  readonly displayName: string
  readonly roleName: string
}

export interface UsernameTemplate {
  /**
   * @returns a name of letters, digits and `_ . @ - + = / :`, so that it needs no quoting anywhere
   * @throws {BadRequest} it is another name, an empty one, or a function failed
   */
  render(who: NamedFor, context: NameContext): string
}

export interface NameContext {
  readonly random: Pick<Random, 'base62' | 'uuid'>
  readonly nowMs: number
}

const FIELDS = new Set(['DisplayName', 'RoleName'])
const NAMES = { functions: FUNCTION_NAMES, fields: FIELDS }
const NOT_PLAIN = /[^\w.@-]/gu
const SAFE_NAME = /^[\w.@+=/:-]+$/
const MAX_NAME_CHARACTERS = 512

/** @throws {BadRequest} it is no such template */
export function usernameTemplate(text: string): UsernameTemplate {
  const parts = parsed(text)
  return {
    render({ displayName, roleName }, context) {
      const fields = new Map([
        ['DisplayName', displayName.replaceAll(NOT_PLAIN, '_')],
        ['RoleName', roleName.replaceAll(NOT_PLAIN, '_')],
      ])
      const name = rendered(() =>
        renderTemplate(parts, { fields, functions: templateFunctions(context) }),
      )
      if (SAFE_NAME.test(name) && name.length <= MAX_NAME_CHARACTERS) return name
      throw new BadRequest(
        `the username template gives an empty name, one of more than ${MAX_NAME_CHARACTERS} characters, or one with others than letters, digits and _.@-+=/:`,
      )
    },
  }
}

function parsed(text: string) {
  try {
    return parseTemplate(text, NAMES)
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    throw new BadRequest(
      `unable to initialize username template: unable to parse template: template: ${error.message}`,
    )
  }
}

function rendered(render: () => string): string {
  try {
    return render()
  } catch (error) {
    if (!(error instanceof TemplateFailure)) throw error
    throw new BadRequest(`the username template cannot be rendered: ${error.message}`)
  }
}
