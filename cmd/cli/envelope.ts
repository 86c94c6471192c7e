/** The commands `encrypt` and `decrypt`: files and streams as envelopes (`docs/envelope-format.md`). */
import {
  EnvelopeDecrypter,
  EnvelopeEncrypter,
  KeyholdError,
  type Source,
} from '../../clients/js/src/main.ts'
import type { Connection } from '../client/connection.ts'
import { askData } from '../client/logical.ts'
import { textOf } from '../client/secret.ts'
import { openByteInput } from './byte-input.ts'
import { openByteOutput, type ByteOutput } from './byte-output.ts'
import { command, exactly, type Call } from './command.ts'
import { CommandFailed, EXIT_USAGE, reasonOf, UsageProblem } from './failure.ts'
import { pairs, text } from './flags.ts'
import { bare } from './paths.ts'

const flags = {
  key: text('Name of the transit key.'),
  mount: text('Where the transit engine is mounted; default: transit.'),
  context: pairs(
    'What the data is about, not secret; has to be given again to decrypt. May be given several times.',
  ),
  out: text('The file to write; default: standard output. It is there once all of it is.'),
}
type EnvelopeCall = Call<typeof flags>

export const encrypt = command({
  usage: 'encrypt [options] FILE',
  about: `Encrypts a file, or standard input (-), of any size. The server's transit engine makes the key and wraps it; the data does not leave this machine. The format is that of @keyhold/client.

  %p encrypt -key=backup -out=app.sql.khe app.sql
  %p encrypt -key=backup -context=tenant=acme - > app.khe`,
  words: exactly(1),
  flags,
  async run(call) {
    const { key } = call.flags
    if (key === undefined || key === '') throw new UsageProblem('-key=NAME is missing')
    if (isStandard(call.flags.out) && call.terminal.stdoutIsTerminal)
      throw new UsageProblem('the output is bytes, not for a terminal', {
        hint: 'name a file with -out=FILE, or send it on with > or |',
      })
    await convert(call, 'encrypting', (source) =>
      new EnvelopeEncrypter({
        transit: transitOf(call),
        key,
        context: call.flags.context,
      }).encrypt(source),
    )
  },
})

export const decrypt = command({
  usage: 'decrypt [options] FILE',
  about: `Decrypts what "%p encrypt" or @keyhold/client encrypted: a file, or standard input (-). Exit code 1: it is not as it was written. With -out the file is there only if all of it was authentic. What went to standard output before an error must not be trusted: it may be a part, and who reads a pipe has to look at the exit code.

  %p decrypt -out=app.sql app.sql.khe
  %p decrypt -key=backup -context=tenant=acme - < app.khe`,
  words: exactly(1),
  flags: {
    ...flags,
    key: text('The only transit key that is taken; default: any that the token may use.'),
  },
  run: (call) =>
    convert(call, 'decrypting', (source) => {
      const { key, context } = call.flags
      const only = key === undefined || key === '' ? {} : { key }
      return new EnvelopeDecrypter({ transit: transitOf(call), context, ...only }).decrypt(source)
    }),
})

async function convert(
  { args, flags: { out }, terminal }: EnvelopeCall,
  doing: string,
  turn: (source: Source) => AsyncIterable<Uint8Array>,
): Promise<void> {
  const [name = '-'] = args
  const fail = (error: unknown) => failure(error, `Error ${doing} ${name}`, isStandard(out))
  const input = await openByteInput(name, terminal).catch((error: unknown) => {
    throw fail(error)
  })
  try {
    const output = await openByteOutput(out, terminal)
    await copy(turn(input.parts), output, terminal.interruption())
  } catch (error) {
    throw fail(error)
  } finally {
    await input.close()
  }
}

async function copy(
  parts: AsyncIterable<Uint8Array>,
  output: ByteOutput,
  interruption: AbortSignal,
): Promise<void> {
  try {
    for await (const part of parts) {
      if (interruption.aborted) throw new CommandFailed('interrupted', EXIT_USAGE)
      await output.write(part)
    }
    await output.finish()
  } catch (error) {
    await output.discard()
    throw error
  }
}

/** What is wrong with the data or with a file is said; all else (the server's refusals) goes on as it is. */
function failure(error: unknown, what: string, isPiped: boolean): unknown {
  const isOfData = error instanceof KeyholdError
  if (!isOfData && !(error instanceof Error && 'syscall' in error)) return error
  const hint = 'discard what was written to standard output before this: it is not the whole'
  return new CommandFailed(`${what}: ${isOfData ? error.message : reasonOf(error)}`, EXIT_USAGE, {
    cause: error,
    ...(isOfData && isPiped && { hint }),
  })
}

function isStandard(out: string | undefined): boolean {
  return out === undefined || out === '' || out === '-'
}

/** What an envelope needs of transit, over the connection of a command. */
function transitOf({ connection, flags: { mount } }: EnvelopeCall) {
  const plain: Connection = { ...connection(), wrapTtl: undefined }
  const ask = (verb: string, key: string, body: { ciphertext?: string }, context?: Uint8Array) =>
    askData(plain, {
      method: 'POST',
      path: `${bare(mount ?? 'transit')}/${verb}/${key}`,
      body: { ...body, ...(context && { context: Buffer.from(context).toString('base64') }) },
    })
  return {
    async dataKey(key: string, { context }: { readonly context?: Uint8Array }) {
      const data = await ask('datakey/plaintext', key, {}, context)
      return {
        ciphertext: textOf(data['ciphertext']),
        plaintext: bytesOf(data['plaintext']),
      }
    },
    async decrypt(
      key: string,
      ciphertext: string,
      { context }: { readonly context?: Uint8Array },
    ): Promise<Uint8Array> {
      const data = await ask('decrypt', key, { ciphertext }, context)
      return bytesOf(data['plaintext'])
    },
  }
}

/** What is no base64 gives another number of bytes than a key has, which is refused then. */
function bytesOf(base64: unknown): Uint8Array {
  return Buffer.from(textOf(base64), 'base64')
}
