/**
 * A server with a configuration file, started as a person does, up to the line that says it runs.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiClient, type Api } from '../support/api-client.ts'
import { freePort } from '../support/free-port.ts'
import { renderConfig, type ServerConfig } from '../support/server-config.ts'
import { start, testFolder, type KeyholdProcess, type Start } from './keyhold-process.ts'

export interface Configured extends Partial<Omit<ServerConfig, 'port' | 'dir'>>, Start {
  /** Keep an earlier server's folder. */
  readonly dir?: string
}

export interface ConfiguredServer {
  readonly process: KeyholdProcess
  readonly api: Api
  readonly port: number
  readonly address: string
  readonly dir: string
  /** The configuration file. */
  readonly file: string
}

export interface Keys {
  readonly rootToken: string
  /** Base64. */
  readonly shares: readonly string[]
}

export async function startConfigured(options: Configured = {}): Promise<ConfiguredServer> {
  const dir = options.dir ?? testFolder()
  const port = await freePort()
  const file = join(dir, `server-${port}.hcl`)
  writeFileSync(file, renderConfig({ storage: 'sqlite', ...options, port, dir }))
  const process = start(['server', `-config=${file}`], options)
  if (options.output !== 'unread') await process.heard(/server started!/)
  const address = `http://127.0.0.1:${port}`
  return { process, api: apiClient(address), port, address, dir, file }
}

/** With one share; `secret/` is kv v2 afterwards. */
export async function initialize({ api }: Pick<ConfiguredServer, 'api'>): Promise<Keys> {
  const init = await api('POST', 'sys/init', { body: { secret_shares: 1, secret_threshold: 1 } })
  const rootToken = String(init.json['root_token'])
  const shares = Array.isArray(init.json['keys_base64']) ? init.json['keys_base64'].map(String) : []
  const keys = { rootToken, shares }
  await unseal({ api }, keys)
  await mountKv({ api }, rootToken)
  return keys
}

export async function unseal(
  { api }: Pick<ConfiguredServer, 'api'>,
  { shares }: Keys,
): Promise<void> {
  for (const key of shares) await api('POST', 'sys/unseal', { body: { key } })
}

async function mountKv({ api }: Pick<ConfiguredServer, 'api'>, token: string): Promise<void> {
  const body = { type: 'kv', options: { version: '2' } }
  const mounted = await api('POST', 'sys/mounts/secret', { token, body })
  if (mounted.status !== 204) throw new Error(`sys/mounts/secret answered ${mounted.text}`)
}

/** Ends it in order and waits until it is gone. */
export async function stop({ process }: Pick<ConfiguredServer, 'process'>): Promise<void> {
  process.signal('SIGTERM')
  await process.ended
}
