/**
 * The configuration file of a server under test, in the HCL that Vault, OpenBao and Keyhold all read.
 */
export interface ServerConfig {
  readonly port: number
  /** `sqlite`: a file in the server's folder, kept over a restart. `inmem`: gone with the process. */
  readonly storage: 'sqlite' | 'inmem'
  readonly dir: string
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error'
  /** Whether audit devices can be made through the API. */
  readonly apiAudit?: boolean
  /** Whether rekey and generate-root are open to everybody with enough shares, as in Vault. */
  readonly legacyRekey?: boolean
  /** Further lines, as they stand: inside of the listener, and at the top. */
  readonly listenerLines?: readonly string[]
  readonly topLines?: readonly string[]
}

export function renderConfig(config: ServerConfig): string {
  const { port, dir, storage, logLevel = 'info', apiAudit = true, legacyRekey = false } = config
  const storageBlock =
    storage === 'inmem'
      ? ['storage "inmem" {}']
      : ['storage "sqlite" {', `  path = "${dir}/keyhold.db"`, '}']
  return [
    ...storageBlock,
    'listener "tcp" {',
    `  address = "127.0.0.1:${port}"`,
    '  tls_disable = true',
    ...(legacyRekey
      ? [
          '  disable_unauthed_rekey_endpoints = false',
          '  disable_unauthed_generate_root_endpoints = false',
        ]
      : []),
    ...(config.listenerLines ?? []).map((line) => `  ${line}`),
    '}',
    `api_addr = "http://127.0.0.1:${port}"`,
    'disable_mlock = true',
    `log_level = "${logLevel}"`,
    `unsafe_allow_api_audit_creation = ${apiAudit}`,
    `audit_directory = "${dir}"`,
    ...(config.topLines ?? []),
    '',
  ].join('\n')
}
