/** Connects as the flags of a command, the environment of its terminal and the token file say. */
import { connectionFrom } from '../client/connection.ts'
import type { Mode } from '../client/connection.ts'
import { setting } from '../client/environment.ts'
import type { Setting } from './command.ts'
import type { Terminal } from './terminal.ts'
import { readTokenFile } from './token-file.ts'

export function connector({ env, home }: Pick<Terminal, 'env' | 'home'>): Setting['connect'] {
  return (flags, { withToken }) => {
    const mode: Mode = flags['output-curl-string']
      ? 'curl'
      : flags['output-policy']
        ? 'policy'
        : 'send'
    const token = withToken
      ? (setting(env, 'TOKEN') ?? readTokenFile(home, setting(env, 'TOKEN_PATH')))
      : ''
    return connectionFrom(
      {
        agentAddress: flags['agent-address'],
        address: flags.address,
        caCert: flags['ca-cert'],
        caPath: flags['ca-path'],
        clientCert: flags['client-cert'],
        clientKey: flags['client-key'],
        tlsServerName: flags['tls-server-name'],
        tlsSkipVerify: flags['tls-skip-verify'],
        namespace: flags.ns ?? flags.namespace,
        wrapTtlSeconds: flags['wrap-ttl'],
        mfa: flags.mfa,
        headers: flags.header,
        policyOverride: flags['policy-override'],
        disableRedirects: flags['disable-redirects'],
      },
      env,
      { token, mode },
    )
  }
}
