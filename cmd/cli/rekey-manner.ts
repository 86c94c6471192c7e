/** The two names of one ceremony: `operator rekey`, as Vault's, and `operator rotate-keys`, as OpenBao's. */
import { UsageProblem } from './failure.ts'

/** Where it lies, and how its commands speak. The texts are those that scripts of `vault` and `bao` compare. */
export interface RekeyManner {
  readonly command: 'rekey' | 'rotate-keys'
  /** The setting of a listener that, when it is false, opens it to everybody; undefined: it always takes a token. */
  readonly openedBy: string | undefined
  readonly roots: ReadonlyMap<string, RekeyPaths>
  readonly texts: {
    /** Behind `Error initializing` and the like. */
    readonly thing: string
    readonly reading: string
    readonly cancelled: string
    readonly notStarted: string
    readonly verified: string
  }
}

export interface RekeyPaths {
  readonly init: string
  readonly update: string
  readonly verify: string
  readonly backup: string
}

function pathsBelow(root: string, backup = `${root}/backup`): RekeyPaths {
  return { init: `${root}/init`, update: `${root}/update`, verify: `${root}/verify`, backup }
}

function targets(barrier: RekeyPaths, recovery: RekeyPaths): ReadonlyMap<string, RekeyPaths> {
  return new Map([
    ['barrier', barrier],
    ['recovery', recovery],
    ['hsm', recovery],
  ])
}

export const REKEY: RekeyManner = {
  command: 'rekey',
  openedBy: 'disable_unauthed_rekey_endpoints',
  roots: targets(
    pathsBelow('sys/rekey'),
    pathsBelow('sys/rekey-recovery-key', 'sys/rekey/recovery-key-backup'),
  ),
  texts: {
    thing: 'rekey',
    reading: 'Error reading rekey status',
    cancelled: 'Success! Canceled rekeying (if it was started)',
    notStarted: 'No rekey is in progress. Start a rekey process by running',
    verified:
      'Rekey verification successful. The rekey operation is complete and the new keys are now active.',
  },
}

export const ROTATE_KEYS: RekeyManner = {
  command: 'rotate-keys',
  openedBy: undefined,
  roots: targets(pathsBelow('sys/rotate/root'), pathsBelow('sys/rotate/recovery')),
  texts: {
    thing: 'rotation',
    reading: 'Error reading rotate status',
    cancelled: 'Success! Canceled rotation (if it was started)',
    notStarted: 'No rotation is in progress. Start a rotation process by running',
    verified:
      'Rotation verification successful. The rotation is complete and the new keys are now active.',
  },
}

/** @throws {UsageProblem} there is no such target */
export function pathsFor({ roots }: RekeyManner, target = 'barrier'): RekeyPaths {
  const paths = roots.get(target.trim().toLowerCase())
  if (paths === undefined) throw new UsageProblem(`Unknown target: ${target}`)
  return paths
}
