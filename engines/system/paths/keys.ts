/** `sys/key-status`, `sys/rotate` and its configuration: the term of the barrier's key (contract: http.md, 14.7). */
import type { Barrier } from '../../../core/barrier/barrier.ts'
import { checkRotation } from '../../../core/barrier/rotation.ts'
import { goDuration } from '../../../core/duration.ts'
import { boolean, duration, integer } from '../../../core/plugin/fields.ts'
import { path } from '../../../core/plugin/path.ts'

type BarrierKeys = Pick<
  Barrier,
  'keyStatus' | 'rotate' | 'reload' | 'rotationConfig' | 'configureRotation'
>

const configFields = {
  enabled: boolean('False: a new term begins only by sys/rotate.'),
  max_operations: integer('How many records one term seals before the next begins.'),
  interval: duration('The age of a term at which the next begins; 0: never by age.'),
}

const MS = 1000

/** @param keys the open barrier; throws `Sealed` */
export function keyPaths(keys: () => BarrierKeys) {
  return [
    path('key-status', {
      rootOnly: 'namespace is not sealable',
      summary: 'The term of the key that seals new records, and how often it was used',
      operations: {
        async read() {
          const { term, installedAtMs, encryptions } = await keys().keyStatus()
          return { data: { term, install_time: new Date(installedAtMs), encryptions } }
        },
      },
    }),
    path(['rotate', 'rotate/keyring'], {
      rootOnly: 'namespace is not sealable',
      summary: 'Begins a new term; what older ones sealed stays readable',
      sudo: true,
      operations: { update: () => ({ afterwards: () => keys().rotate() }) },
    }),
    path(['rotate/config', 'rotate/keyring/config'], {
      rootOnly: 'namespace is not sealable',
      summary: 'When a new term begins by itself',
      description:
        'A new term begins when the present one has sealed max_operations records or is older than interval, whichever is first. What is not given stays as it is.',
      fields: configFields,
      operations: {
        async read() {
          const { enabled, maxOperations, intervalMs } = await present(keys())
          const interval = intervalMs === 0 ? 0 : goDuration(intervalMs / MS)
          return { data: { enabled, max_operations: maxOperations, interval } }
        },
        async update({ data }) {
          const before = await present(keys())
          const { enabled, max_operations: maxOperations, interval } = data
          const config = {
            enabled: enabled ?? before.enabled,
            maxOperations: maxOperations ?? before.maxOperations,
            intervalMs: interval === undefined ? before.intervalMs : Math.round(interval * MS),
          }
          checkRotation(config)
          return { afterwards: () => keys().configureRotation(config) }
        },
      },
    }),
  ]
}

/** Another node may have changed it a moment ago. */
async function present(keys: BarrierKeys) {
  await keys.reload()
  return keys.rotationConfig
}
