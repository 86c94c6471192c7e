/**
 * An engine whose secrets are accounts in another system, and that system: what a test of leases and intents needs. The
 * system does as a test tells it: it refuses, hangs, or does what it was asked for and does not answer.
 */
import { z } from 'zod'
import { BadRequest } from '../../core/errors.ts'
import type { EffectType } from '../../core/plugin/effects.ts'
import { boolean, duration, string } from '../../core/plugin/fields.ts'
import { path } from '../../core/plugin/path.ts'
import type { PluginType } from '../../core/plugin/plugin.ts'
import { kind } from '../../core/store/kind.ts'

/** The other system. */
export interface AccountSystem {
  create(name: string, signal: AbortSignal): Promise<void>
  remove(name: string, signal: AbortSignal): Promise<void>
}

/** One in memory. */
export class Accounts implements AccountSystem {
  readonly names = new Set<string>()
  /** Runs before it does what it is asked for; what it throws is the system's refusal. */
  before: (what: 'create' | 'remove', name: string) => Promise<void> | void = () => undefined
  /** Runs before it answers. */
  after: (what: 'create' | 'remove', name: string) => Promise<void> | void = () => undefined
  removals = 0

  async create(name: string): Promise<void> {
    await this.before('create', name)
    this.names.add(name)
    await this.after('create', name)
  }

  async remove(name: string): Promise<void> {
    this.removals++
    await this.before('remove', name)
    this.names.delete(name)
    await this.after('remove', name)
  }
}

const prefixes = kind('test-accounts', z.object({ prefix: z.string() }).readonly())
const notes = kind('test-note', z.object({ text: z.string() }).readonly())
const ACCOUNT = z.object({ name: z.string() })
const NOTE = z.object({ id: z.string() })

const fields = {
  role: string('Role.').required(),
  ttl: duration('Span.').default(0),
  max_ttl: duration('Longest span.').default(0),
  renewable: boolean('May be renewed.').default(true),
}

/** `creds/ROLE` makes an account, `note` a secret that lies in the storage alone, `config` sets the names' beginning. */
export function accountsEngine(system: AccountSystem): PluginType {
  const account: EffectType = {
    async undo({ storage, signal }, internal) {
      const { name } = ACCOUNT.parse(internal)
      // As a real engine needs its connection: without the mount's records nothing can be undone.
      if ((await storage.get(prefixes, 'config')) === undefined) throw new BadRequest('no config')
      await system.remove(name, signal)
    },
    renew: () => Promise.resolve({ ttlSeconds: 0, maxTtlSeconds: 0 }),
  }
  const note: EffectType = {
    removed({ storage }, internal) {
      storage.delete(`notes/${NOTE.parse(internal).id}`)
    },
  }
  return {
    type: 'accounts',
    kind: 'secret',
    help: 'Accounts in another system.',
    create: () => ({
      effects: { account, note },
      async initialize({ storage }) {
        storage.put(prefixes, 'config', { prefix: 'v' })
      },
      paths: [
        path('creds/:role', {
          summary: 'An account',
          fields,
          operations: {
            async read({ data, storage, random }) {
              const { prefix } = (await storage.get(prefixes, 'config')) ?? { prefix: '' }
              const name = `${prefix}-${data.role}-${random.base62(8)}`
              const secret = {
                type: 'account',
                internal: { name },
                ttlSeconds: data.ttl,
                maxTtlSeconds: data.max_ttl,
                renewable: data.renewable,
              }
              return {
                effect: {
                  type: 'account',
                  internal: { name },
                  leased: true,
                  async act(signal) {
                    await system.create(name, signal)
                    return () => ({ data: { username: name }, secret })
                  },
                },
              }
            },
          },
        }),
        path('note', {
          summary: 'A note',
          fields: { ttl: fields.ttl },
          operations: {
            read({ data, storage, random }) {
              const id = random.uuid()
              storage.put(notes, `notes/${id}`, { text: 'x' })
              return {
                data: { id },
                secret: {
                  type: 'note',
                  internal: { id },
                  ttlSeconds: data.ttl,
                  maxTtlSeconds: 0,
                  renewable: false,
                },
              }
            },
          },
        }),
      ],
    }),
  }
}
