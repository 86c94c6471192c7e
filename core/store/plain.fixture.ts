/** A store over any storage whose records lie there as they are: what is tested here is not the barrier. */
import { z } from 'zod'
import type { Storage } from '../../storage/contract.ts'
import { RecordCache } from './cache.ts'
import { kind } from './kind.ts'
import { Store, type Sealer } from './store.ts'

const open = (_key: string, sealed: Buffer) => Buffer.from(sealed)

const plainSealer: Sealer = {
  ready: () => undefined,
  seal: (_key, text) => Buffer.from(text),
  open,
  openFetched: open,
}

export function plainStore(storage: Storage): Store {
  return new Store(storage, plainSealer, new RecordCache(storage.watch()))
}

export const numbers = kind('number', z.number())
