/** `audit verify`: whether the files of a device with `chain` are as they were written. */
import type { KeyObject } from 'node:crypto'
import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { parsePublicKey } from '../../core/audit/chain/keys.ts'
import { ChainVerifier, type Finding } from '../../core/audit/chain/verify.ts'
import { askData } from '../client/logical.ts'
import { objectOf, textOf } from '../client/secret.ts'
import { atLeast, command } from './command.ts'
import {
  CommandFailed,
  EXIT_REMOTE,
  EXIT_USAGE,
  UsageProblem,
  orFail,
  reasonOf,
} from './failure.ts'
import { text } from './flags.ts'
import type { Connection } from '../client/connection.ts'
import { bare, folder } from './paths.ts'

/** More say little that these do not. */
const MAX_SHOWN = 20
const NEWLINE = 10

export const verify = command({
  usage: 'audit verify [options] FILE...',
  about: `Looks whether the files of an audit device with chain=true are as they were written, and names each entry that was
altered, removed, moved or added. Files are given in order, the oldest first. Exit code 2: they are not.

The device's public key is asked from the server, unless it is given; keep it where nobody who can change the files can
change it ("%p audit enable" shows it).

  %p audit verify -public-key=2ZrG...= audit.log.* audit.log`,
  words: atLeast(1),
  flags: {
    path: text('Name of the device whose key the server is asked for; default: file.'),
    'public-key': text('The public key of the device.'),
  },
  async run({ args, connection, flags, printer }) {
    const given = flags['public-key']
    const verifier = new ChainVerifier(
      given === '' || given === undefined
        ? await askPublicKey(connection(), folder(bare(flags.path ?? 'file')))
        : readPublicKey(given),
    )
    for (const file of args) await takeFile(verifier, file)
    const { findings, intact, notes } = verifier.finish()
    for (const note of notes.slice(0, MAX_SHOWN)) printer.line(`Note: ${described(note)}`)
    for (const finding of findings.slice(0, MAX_SHOWN)) printer.line(described(finding))
    if (findings.length > MAX_SHOWN) printer.line(`... and ${findings.length - MAX_SHOWN} more`)
    if (findings.length === 0 && intact === 0)
      throw new CommandFailed('Nothing in these files is signed by this key.', EXIT_REMOTE, {
        hint: 'was the device enabled with chain=true, and is this its key?',
      })
    printer.line(`${intact} entries are signed and as they were written.`)
    return findings.length === 0 ? 0 : EXIT_REMOTE
  },
})

function described({ file, line, text: what }: Finding): string {
  return `${file}:${line}: ${what}`
}

function readPublicKey(given: string): KeyObject {
  const key = parsePublicKey(given.trim())
  if (key === undefined)
    throw new UsageProblem('-public-key must be the "chain_public_key" of the device, in base64')
  return key
}

async function askPublicKey(connection: Connection, path: string): Promise<KeyObject> {
  const devices = await orFail(
    'Error asking for the public key',
    askData(connection, { method: 'GET', path: 'sys/audit' }),
  )
  const key = parsePublicKey(textOf(objectOf(devices[path])?.['chain_public_key']))
  if (key === undefined)
    throw new CommandFailed(`There is no audit device with chain=true at: ${path}`)
  return key
}

async function takeFile(verifier: ChainVerifier, file: string): Promise<void> {
  let line = 0
  try {
    for await (const bytes of linesOf(file)) {
      // Bytes that are no text would else read as others do that are.
      verifier.take(bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1'), { file, line: ++line })
    }
  } catch (error) {
    throw new CommandFailed(`Error reading ${file}: ${reasonOf(error)}`, EXIT_USAGE)
  }
}

/** Without their newlines. */
async function* linesOf(file: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = []
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end)])
      rest = []
      from = end + 1
    }
    rest.push(chunk.subarray(from))
  }
  const last = Buffer.concat(rest)
  if (last.length > 0) yield last
}
