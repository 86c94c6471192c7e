/** `sys/key-status` and `sys/rotate`: the term of the barrier's key (contract: http.md, 14.7). */
import type { KeyStatus } from '../../../core/barrier/barrier.ts'
import { path } from '../../../core/plugin/path.ts'

export function keyPaths(keyStatus: () => Promise<KeyStatus>, rotate: () => Promise<void>) {
  return [
    path('key-status', {
      rootOnly: true,
      summary: 'The term of the key that seals new records, and how often it was used',
      operations: {
        async read() {
          const { term, installedAtMs, encryptions } = await keyStatus()
          return { data: { term, install_time: new Date(installedAtMs), encryptions } }
        },
      },
    }),
    path(['rotate', 'rotate/keyring'], {
      rootOnly: true,
      summary: 'Begins a new term; what older ones sealed stays readable',
      sudo: true,
      operations: { update: () => ({ afterwards: rotate }) },
    }),
  ]
}
