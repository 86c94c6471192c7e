/** Settings that configurations for Vault hold, and that change nothing here: an operator is told, not left to find out. */
import type { ServerConfig } from './config.ts'

/** @returns what to say of each that is on */
export function withoutEffect({ ui }: ServerConfig): string[] {
  const said: [isOn: boolean, text: string][] = [[ui, 'ui: there is no web console']]
  return said.filter(([isOn]) => isOn).map(([, text]) => text)
}
