/** `sys/policies/password`: what generated passwords look like (contract: sys-auth.md, Policies). */
import { BadRequest, listed, RequestError } from '../../../core/errors.ts'
import { generatePassword } from '../../../core/password/generate.ts'
import { passwordPolicies, passwordPolicyFolder } from '../../../core/password/named.ts'
import { InvalidPasswordPolicy, parsePasswordPolicy } from '../../../core/password/policy.ts'
import { string } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'
import type { Request } from '../../../core/plugin/request.ts'
import type { Response } from '../../../core/plugin/response.ts'
import { InvalidPolicyName, isPolicyName } from '../../../core/policy/names.ts'

const fields = {
  name: string('Name of the password policy.').default(''),
  policy: string('Rules in HCL or JSON, or the same in base64.').default(''),
}
type PolicyRequest = Request<typeof fields>

export const passwordPolicyPaths = [
  path('policies/password', {
    summary: 'Lists the password policies',
    operations: { list },
  }),
  path('policies/password/:name*/generate', {
    summary: 'A fresh password that follows a policy; it is not kept',
    fields,
    operations: { read: generate },
  }),
  path('policies/password/:name*', {
    summary: 'A password policy: how long passwords are, and which characters they hold',
    fields,
    operations: {
      read: async (request) => ({ data: { policy: await textOf(request) } }),
      update: write,
      delete: ({ storage, namespace, data }) => {
        if (isPolicyName(data.name)) storage.delete(keyOf(namespace, data.name))
      },
    },
    examples: [
      {
        summary: 'Passwords of 20 characters with a digit among them',
        operation: 'update',
        path: 'policies/password/app',
        request: {
          policy: [
            'length = 20',
            'rule "charset" { charset = "abcdefghijklmnopqrstuvwxyz" }',
            'rule "charset" { charset = "0123456789" min-chars = 1 }',
          ].join('\n'),
        },
      },
    ],
  }),
]

function keyOf(namespace: Request['namespace'], name: string): string {
  if (!isPolicyName(name) || name !== name.trim()) throw new InvalidPolicyName()
  return passwordPolicyFolder(namespace.id) + name
}

async function list({ storage, namespace }: Request): Promise<Response | undefined> {
  const keys = await namesBelow(storage, passwordPolicyFolder(namespace.id), '')
  return keys.length === 0 ? undefined : { data: { keys } }
}

async function namesBelow(
  storage: Request['storage'],
  root: string,
  folder: string,
): Promise<string[]> {
  const found: string[] = []
  for (const name of await storage.list(root + folder)) {
    if (name.endsWith('/')) found.push(...(await namesBelow(storage, root, folder + name)))
    else found.push(folder + name)
  }
  return found
}

/** @throws {RequestError} 404: it does not exist */
async function textOf({ storage, namespace, data }: PolicyRequest): Promise<string> {
  const record = await storage.get(passwordPolicies, keyOf(namespace, data.name))
  if (record === undefined) throw new RequestError(404, listed('policy does not exist'))
  return record.text
}

async function generate(request: PolicyRequest): Promise<Response> {
  const policy = parsePasswordPolicy(await textOf(request))
  return { data: { password: generatePassword(policy, request.random) } }
}

function write({ storage, namespace, data }: PolicyRequest): void {
  if (data.policy === '') throw new BadRequest(listed('missing policy'))
  const text = decoded(data.policy)
  try {
    parsePasswordPolicy(text)
  } catch (error) {
    if (error instanceof InvalidPasswordPolicy) throw new BadRequest(listed(error.message))
    throw error
  }
  storage.put(passwordPolicies, keyOf(namespace, data.name), { text })
}

const BASE64 =
  /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$|^[A-Za-z0-9+/]{2}==$/

/** The text, where it was sent in base64; programs like base64 break it into lines. */
function decoded(given: string): string {
  const oneLine = given.replaceAll(/[\r\n]/g, '')
  return BASE64.test(oneLine) ? Buffer.from(oneLine, 'base64').toString('utf8') : given
}
