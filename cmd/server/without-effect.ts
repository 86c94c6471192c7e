/** Settings that configurations for Vault hold, and that change nothing here: an operator is told, not left to find out. */
import type { ListenerSettings } from './config-listener.ts'
import type { ServerConfig } from './config.ts'

/** @returns what to say of each that is on */
export function withoutEffect({ ui, rawStorageEndpoint, running }: ServerConfig): string[] {
  const open = running.listeners.map((listener: ListenerSettings) => listener.open)
  const said: [isOn: boolean, text: string][] = [
    [ui, 'ui: there is no web console'],
    [rawStorageEndpoint, 'raw_storage_endpoint: there is no sys/raw'],
    [
      open.some(({ rekey }) => rekey === true),
      'disable_unauthed_rekey_endpoints: there is no sys/rekey',
    ],
  ]
  return said.filter(([isOn]) => isOn).map(([, text]) => text)
}
