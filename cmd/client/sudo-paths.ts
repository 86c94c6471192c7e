/** Which requests need `sudo` beside their own capability, as far as the path tells. */
import type { Capability } from '../../core/policy/capability.ts'

/** Whatever is done there (contract: http.md and sys-auth.md, the rows marked root or sudo). */
const ALWAYS =
  /^(?:auth\/token\/(?:accessors\/?|inventory(?:\/revocations)?\/?|inventory\/revoke)|identity\/entity\/merge|sys\/(?:audit(?:\/.+)?|auth\/.+|config\/(?:auditing\/request-headers(?:\/.+)?|cors|ui\/headers(?:\/.*)?)|intents(?:\/.+)?|internal\/inspect\/.+|leases|leases\/(?:lookup|revoke-force|revoke-prefix)\/.*|plugins\/(?:catalog\/.+|pins(?:\/.+)?)|policies\/explain|raw(?:\/.+)?|remount|revoke-(?:force|prefix)\/.+|rotate(?:\/(?:keyring|root))?|seal|step-down))$/
/** To begin and to give up; anybody may look, and give shares. */
const TO_CHANGE =
  /^sys\/(?:generate-root(?:-token)?(?:\/attempt)?|(?:rekey|rotate\/root)\/init|shares\/drill)$/
const TO_DELETE = /^sys\/(?:rekey|rotate\/root)\/verify$/
/** A lease of one's own is looked up without. */
const TO_LIST = /^sys\/leases\/lookup\/?$/

/** @param path below `/v1/`, relative to the namespace */
export function asksForSudo(path: string, capability: Capability): boolean {
  if (ALWAYS.test(path)) return true
  if (capability === 'delete' && TO_DELETE.test(path)) return true
  if (capability === 'list' && TO_LIST.test(path)) return true
  return ['create', 'update', 'delete'].includes(capability) && TO_CHANGE.test(path)
}
