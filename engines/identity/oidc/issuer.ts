/** Whom identity tokens name as their issuer, and where what verifies them is found. */
import type { Place } from '../../../core/identity/entities.ts'
import { pathOfNamespace } from '../../../core/namespaces.ts'
import { oidcConfigKey, oidcConfigs } from './records.ts'

/** @param apiAddress where clients reach the server; counts where no issuer is set */
export async function issuerOf(place: Place, apiAddress: string): Promise<string> {
  const { root, namespaceId } = place
  const set = (await root.get(oidcConfigs, oidcConfigKey(namespaceId)))?.issuer ?? ''
  const path = (await pathOfNamespace(root, namespaceId)) ?? ''
  return `${set === '' ? apiAddress : set}/v1/${path}identity/oidc`
}
