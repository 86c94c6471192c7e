/** Roles of auth/token: what the tokens that are created through one may be. */
import { z } from 'zod'
import { kind } from '../../core/store/kind.ts'
import { namespacePrefix } from '../../core/namespaces.ts'

const strings = z.array(z.string()).readonly()

const roleSchema = z
  .object({
    name: z.string(),
    allowedPolicies: strings,
    disallowedPolicies: strings,
    allowedPoliciesGlob: strings,
    disallowedPoliciesGlob: strings,
    /** `null`: never set. */
    allowedEntityAliases: strings.nullable(),
    orphan: z.boolean(),
    renewable: z.boolean(),
    pathSuffix: z.string(),
    tokenType: z.enum(['default-service', 'default-batch', 'service', 'batch']),
    periodSeconds: z.number(),
    explicitMaxTtlSeconds: z.number(),
    boundCidrs: strings,
    numUses: z.number().int(),
    noDefaultPolicy: z.boolean(),
    strictlyBindIp: z.boolean(),
    /** Set by their old names, which a read then shows as well. */
    legacy: z
      .object({ period: z.boolean(), explicitMaxTtl: z.boolean(), boundCidrs: z.boolean() })
      .readonly(),
  })
  .readonly()

export type TokenRole = z.infer<typeof roleSchema>
export const tokenRoles = kind('token-role', roleSchema)

export const rolePrefix = (namespaceId: string) => `${namespacePrefix(namespaceId)}token-role/`

export function newRole(name: string): TokenRole {
  return {
    name,
    allowedPolicies: [],
    disallowedPolicies: [],
    allowedPoliciesGlob: [],
    disallowedPoliciesGlob: [],
    allowedEntityAliases: null,
    orphan: false,
    renewable: true,
    pathSuffix: '',
    tokenType: 'default-service',
    periodSeconds: 0,
    explicitMaxTtlSeconds: 0,
    boundCidrs: [],
    numUses: 0,
    noDefaultPolicy: false,
    strictlyBindIp: false,
    legacy: { period: false, explicitMaxTtl: false, boundCidrs: false },
  }
}
