/** A check: one thing of a server that is looked at, by itself, without changing anything. */
import type { ServerConfig } from '../server/config.ts'
import type { Finding } from './finding.ts'
import type { Machine } from './machine.ts'

/** What a check may look at. */
export interface Subject {
  readonly machine: Machine
  readonly configPaths: readonly string[]
  readonly config: ServerConfig
}

export interface Check {
  /** As `-skip` names it. */
  readonly name: string
  readonly title: string
  readonly run: (subject: Subject) => Promise<readonly Finding[]>
}
