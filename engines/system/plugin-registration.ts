/** Reads what registers an external plugin. */
import { BadRequest } from '../../core/errors.ts'
import type { Registered } from '../../core/external/catalog.ts'
import { COMMAND } from '../../core/external/program.ts'
import { readVersion } from './plugin-version.ts'

const NAME = /^\w(?:[\w.-]{0,62}\w)?$/
const SHA256 = /^[0-9a-f]{64}$/
const VARIABLE = /^[A-Za-z_]\w{0,127}=/
/** They would change what the process is, and not what the plugin does. */
const NOT_VARIABLES = /^(?:NODE_(?!EXTRA_CA_CERTS=)|LD_|DYLD_|OPENSSL_)/
const MAX_TEXTS = 64
const MAX_TEXT_CHARACTERS = 4096

interface Given {
  readonly type: string
  readonly name: string
  readonly version: string
  readonly sha256: string
  readonly sha_256: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly oci: boolean
}

/** @throws {BadRequest} what is wrong, and what would be right; values of `env` are not repeated */
export function readRegistration(given: Given): Omit<Registered, 'reloads'> {
  const { name, command, args, env } = given
  if (given.oci) throw new BadRequest('oci is not supported: put the plugin into the directory')
  const sha256 = (given.sha256 || given.sha_256).toLowerCase()
  if (!NAME.test(name)) {
    throw new BadRequest('the name of a plugin has 1 to 64 letters, digits, "_", "-" and "."')
  }
  if (!SHA256.test(sha256)) throw new BadRequest('sha256 must be 64 digits in hex')
  if (!COMMAND.test(command)) {
    throw new BadRequest('command must be the name of a file or folder in the plugin directory')
  }
  demandTexts('args', args)
  demandTexts('env', env)
  if (!env.every((text) => VARIABLE.test(text))) {
    throw new BadRequest('each entry of env must be NAME=value')
  }
  if (env.some((text) => NOT_VARIABLES.test(text))) {
    throw new BadRequest('env may not change how the process runs: no NODE_*, LD_*, OPENSSL_*')
  }
  return {
    kind: kindOf(given.type),
    name,
    version: readVersion(given.version),
    command,
    args,
    env,
    sha256,
  }
}

function kindOf(type: string): Registered['kind'] {
  if (type === 'secret' || type === 'auth') return type
  if (type === 'database') {
    throw new BadRequest('external database plugins are not supported; register a secret engine')
  }
  throw new BadRequest('type must be auth or secret')
}

function demandTexts(field: 'args' | 'env', texts: readonly string[]): void {
  const fits = (text: string) => text.length <= MAX_TEXT_CHARACTERS && !text.includes('\0')
  if (texts.length <= MAX_TEXTS && texts.every(fits)) return
  throw new BadRequest(
    `${field} has at most ${MAX_TEXTS} texts of ${MAX_TEXT_CHARACTERS} characters without NUL`,
  )
}
