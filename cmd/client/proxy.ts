/** The proxy to go through, as Vault's Go client finds it. */
import { setting } from './environment.ts'
import type { Environment } from './environment.ts'

/** As the variables of the environment that name proxies: what Node's agents read. */
export type ProxySettings = Readonly<
  Partial<Record<'HTTP_PROXY' | 'HTTPS_PROXY' | 'NO_PROXY', string>>
>

/** Never asked of a proxy that is for everything: it would look at its own machine. */
const OWN_MACHINE = 'localhost,127.0.0.1,::1'

/**
 * VAULT_PROXY_ADDR (or VAULT_HTTP_PROXY) is for this server, whichever it is; HTTP_PROXY, HTTPS_PROXY and NO_PROXY, which
 * other programs read too, leave the own machine out.
 *
 * @returns undefined: none
 */
export function proxySettings(env: Environment): ProxySettings | undefined {
  const own = setting(env, 'PROXY_ADDR') ?? setting(env, 'HTTP_PROXY')
  if (own !== undefined) return { HTTP_PROXY: own, HTTPS_PROXY: own }
  const http = general(env, 'HTTP_PROXY')
  const https = general(env, 'HTTPS_PROXY')
  if (http === undefined && https === undefined) return undefined
  const others = general(env, 'NO_PROXY')
  return {
    ...(http !== undefined && { HTTP_PROXY: http }),
    ...(https !== undefined && { HTTPS_PROXY: https }),
    NO_PROXY: others === undefined ? OWN_MACHINE : `${OWN_MACHINE},${others}`,
  }
}

/** Such variables are written in both cases. */
function general(env: Environment, name: string): string | undefined {
  const value = env[name] ?? env[name.toLowerCase()]
  return value === '' ? undefined : value
}
