/**
 * Binds a server to a TCP address or a unix socket. Whatever stands in the way is said with what to do about it.
 */
import { once } from 'node:events'
import { chmod, chown, lstat, stat, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { errorCode, ListenerRefused } from './listener-refused.ts'

export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'unix'
      readonly path: string
      /** Permission bits of the socket file. */
      readonly mode: number
      readonly uid?: number
      readonly gid?: number
    }

/** Connections that wait to be accepted. */
const BACKLOG = 1_024

export function showAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return address.path
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
}

/** @throws {ListenerRefused} */
export async function bind(server: Server, address: ListenAddress): Promise<void> {
  try {
    if (address.kind === 'unix') await bindUnix(server, address)
    else await listenTcp(server, address)
  } catch (error) {
    throw error instanceof ListenerRefused ? error : explain(error, address)
  }
}

/** Without a host: all addresses of the machine, IPv6 too where it has it. */
async function listenTcp(
  server: Server,
  address: Extract<ListenAddress, { kind: 'tcp' }>,
): Promise<void> {
  const { host, port } = address
  await listen(server, { ...(host === '' ? {} : { host }), port, backlog: BACKLOG })
}

async function listen(server: Server, options: object): Promise<void> {
  server.listen(options)
  await once(server, 'listening')
}

async function bindUnix(
  server: Server,
  address: Extract<ListenAddress, { kind: 'unix' }>,
): Promise<void> {
  await removeStale(address.path)
  // The socket is made within `listen`, so that it never has more permissions than it shall have.
  const umask = isMainThread ? process.umask(0o777 & ~address.mode) : undefined
  const listening = listen(server, { path: address.path, backlog: BACKLOG })
  if (umask !== undefined) process.umask(umask)
  await listening
  await chmod(address.path, address.mode)
  if (address.uid !== undefined || address.gid !== undefined) {
    await chown(address.path, address.uid ?? -1, address.gid ?? -1)
  }
}

/** A socket file of a server that was killed is removed; one on which somebody answers is not. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) {
    await stat(dirname(path)) // binding would call a missing folder EACCES
    return
  }
  if (!found.isSocket()) {
    throw new ListenerRefused(
      `${path} exists and is no socket`,
      'give another address to the listener "unix", or move that file away',
    )
  }
  const socket = connect(path)
  const [answered, error] = await Promise.race([
    once(socket, 'connect').then((): [boolean, unknown] => [true, undefined]),
    once(socket, 'close').then((): [boolean, unknown] => [false, undefined]),
  ]).catch((failure: unknown): [boolean, unknown] => [false, failure])
  socket.destroy()
  if (answered) {
    throw new ListenerRefused(
      `another server answers on the socket ${path}`,
      'stop that server, or give another address to the listener "unix"',
    )
  }
  if (errorCode(error) !== 'ECONNREFUSED') throw error
  await unlink(path)
}

function explain(cause: unknown, address: ListenAddress): ListenerRefused {
  const shown = showAddress(address)
  const [text, hint] = EXPLAINED[errorCode(cause)] ?? ['cannot be bound', 'look at the cause below']
  return new ListenerRefused(`the listener address ${shown} ${text}`, hint, { cause })
}

const ANOTHER = 'change `address` of the listener'
const EXPLAINED: Readonly<Record<string, readonly [text: string, hint: string]>> = {
  EADDRINUSE: ['is already in use', `stop the program that uses it, or ${ANOTHER}`],
  EADDRNOTAVAIL: [
    'does not belong to this machine',
    `${ANOTHER} to one of this machine's addresses, or to 0.0.0.0`,
  ],
  EACCES: [
    'may not be used by this user',
    'take a port above 1023, allow the user to bind it (CAP_NET_BIND_SERVICE), or for a socket a folder that it may write to',
  ],
  EPERM: [
    'may not be used by this user',
    'run the server as a user who may set the owner of the socket',
  ],
  ENOTFOUND: ['names a host that is not known', `${ANOTHER} to an IP address, or fix the name`],
  EAI_AGAIN: [
    'names a host that cannot be looked up',
    `${ANOTHER} to an IP address, or fix the name service`,
  ],
  ENOENT: ['lies in a folder that does not exist', 'make the folder first'],
  ENOTDIR: ['lies in something that is no folder', ANOTHER],
  EINVAL: ['is not usable', `${ANOTHER}; the path of a socket has at most 107 characters`],
  ENAMETOOLONG: ['is too long', `${ANOTHER}; the path of a socket has at most 107 characters`],
}
