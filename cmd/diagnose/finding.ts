/** What a check found: one sentence, and where something is to be done, what. */

export type Status = 'ok' | 'warning' | 'failure' | 'skipped'

export interface Finding {
  readonly status: Status
  /** Holds no secret: settings are named, their values only where they are paths, addresses or numbers. */
  readonly message: string
  readonly advice?: string
}

export const ok = (message: string): Finding => ({ status: 'ok', message })
export const warning = (message: string, advice: string): Finding => ({
  status: 'warning',
  message,
  advice,
})
export const failure = (message: string, advice: string): Finding => ({
  status: 'failure',
  message,
  advice,
})
export const skipped = (message: string): Finding => ({ status: 'skipped', message })

const RANK: Readonly<Record<Status, number>> = { skipped: 0, ok: 1, warning: 2, failure: 3 }

/** The worst of some; of none it is ok. */
export function worst(statuses: readonly Status[]): Status {
  return statuses.reduce<Status>((a, b) => (RANK[b] > RANK[a] ? b : a), 'skipped')
}
