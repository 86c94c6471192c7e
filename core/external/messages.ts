/**
 * What a plugin's process says, checked at the edge: behind it, it is as typed as what a built-in engine says.
 */
import { z } from 'zod'
import { MAX_CHANGES_PER_COMMIT } from '../../storage/contract.ts'
import { declaredSchema } from './declared.ts'
import { MAX_STACK_CHARACTERS } from './protocol.ts'

const number = z.number().int().nonnegative()
/** Keys with the records' texts; `null` deletes. */
const writes = z
  .array(z.tuple([z.string(), z.string().nullable()]).readonly())
  .max(MAX_CHANGES_PER_COMMIT, `a request stores at most ${MAX_CHANGES_PER_COMMIT} records`)
  .readonly()

/** What a plugin's process is. */
const helloSchema = z.object({
  say: z.literal('hello'),
  protocol: z.number(),
  kind: z.enum(['secret', 'auth']),
  help: z.string().max(65_536),
})

export const fromPlugin = z.discriminatedUnion('say', [
  helloSchema,
  z.object({ say: z.literal('get'), call: number, ask: number, key: z.string() }),
  z.object({
    say: z.literal('list'),
    call: number,
    ask: number,
    prefix: z.string(),
    after: z.string().exactOptional(),
    limit: z.number().int().positive().exactOptional(),
    /** What was written so far, which the names must show. */
    writes,
  }),
  z.object({
    say: z.literal('done'),
    call: number,
    writes,
    result: z.unknown().optional(),
    /** Of the records that came with the call, those that were not read. */
    unused: z.array(z.string()).max(64).exactOptional(),
  }),
  z.object({ say: z.literal('failed'), call: number, error: z.unknown() }),
  z.object({ say: z.literal('pong') }),
])
export type FromPlugin = z.infer<typeof fromPlugin>
export type Writes = z.infer<typeof writes>

/** An error as a plugin tells it: one for the client, or of its own. */
export const toldErrorSchema = z.union([
  z.object({
    name: z.string(),
    status: z.number().int().min(400).max(599),
    errors: z.array(z.string()).max(64),
    data: z.record(z.string(), z.unknown()).exactOptional(),
    headers: z.record(z.string(), z.string()).default({}),
  }),
  z.object({ stack: z.string().max(MAX_STACK_CHARACTERS) }),
])
export type ToldError = z.infer<typeof toldErrorSchema>

/** What a mount of it is: its paths, and which hooks it has. */
export const describedSchema = z.object({
  paths: z.array(declaredSchema).max(1024),
  hooks: z.array(z.enum(['initialize', 'upgrade', 'periodic', 'renew', 'loginRole'])),
  /** By their names, what each of them can do. */
  effects: z.record(z.string().max(128), z.array(z.enum(['undo', 'renew', 'removed']))),
})
export type Described = z.infer<typeof describedSchema>
