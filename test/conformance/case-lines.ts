/** What a program of ours in another language prints: a line for each case, `ok NAME`, or `FAIL NAME: why`. */
import type { CaseResult } from './expectations.ts'

const LINE = /^(?<outcome>ok|FAIL) (?<name>[^:\n]+)(?:: (?<why>.*))?$/gm

/** @param suite what the cases' ids begin with */
export function parseCases(suite: string, output: string): CaseResult[] {
  return [...output.matchAll(LINE)].map(({ groups = {} }) => ({
    id: `${suite}/${groups['name'] ?? ''}`,
    title: '',
    failures: groups['outcome'] === 'ok' ? [] : [groups['why'] ?? ''],
  }))
}
