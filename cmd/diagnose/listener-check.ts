/** The listeners: that their addresses are free, or held by this server; and what an address means without TLS. */
import { existsSync, lstatSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { bind, showAddress, type ListenAddress } from '../../core/http/bind.ts'
import { errorCode, ListenerRefused } from '../../core/http/listener-refused.ts'
import type { ListenerConfig } from '../../core/http/listener.ts'
import type { Check, Subject } from './check.ts'
import { failure, ok, warning, type Finding } from './finding.ts'
import { askHealth } from './health.ts'
import { faultsOf } from './permissions.ts'

type TcpAddress = Extract<ListenAddress, { kind: 'tcp' }>

export const listenerCheck: Check = {
  name: 'listener',
  title: 'Listeners',
  async run(subject) {
    const found: Finding[] = []
    const seen = new Set<string>()
    for (const listener of subject.config.running.listeners) {
      const shown = showAddress(listener.address)
      if (seen.has(shown) && !shown.endsWith(':0')) {
        found.push(failure(`two listeners have the address ${shown}`, 'remove one of the two'))
      }
      seen.add(shown)
      found.push(...(await judge(listener, subject)))
    }
    return found
  },
}

async function judge(listener: ListenerConfig, { machine }: Subject): Promise<Finding[]> {
  const { address } = listener
  if (address.kind === 'unix') return judgeSocket(address.path, listener, machine)
  const bound = await tryToBind(address, listener)
  return listener.tls === undefined && !isLoopback(address.host)
    ? [bound, unsafe(address)]
    : [bound]
}

async function tryToBind(address: TcpAddress, listener: ListenerConfig): Promise<Finding> {
  const server = createServer()
  try {
    await bind(server, address)
    return ok(`the address ${showAddress(address)} is free`)
  } catch (error) {
    if (!(error instanceof ListenerRefused)) throw error
    if (errorCode(error.cause) !== 'EADDRINUSE') return failure(error.message, error.hint)
    return await held(showAddress(address), listener)
  } finally {
    server.close()
  }
}

/** Somebody listens there: this server, or another program. */
async function held(shown: string, listener: ListenerConfig): Promise<Finding> {
  const health = await askHealth(listener)
  if (health !== undefined) return ok(`on ${shown} a server answers, which is ${health}`)
  return failure(
    `${shown} is in use, and no server like this one answers there`,
    `find the program (ss -ltnp), stop it, or change the address of the listener`,
  )
}

async function judgeSocket(
  path: string,
  listener: ListenerConfig,
  machine: Subject['machine'],
): Promise<Finding[]> {
  if (!existsSync(path)) {
    const rules = { what: 'the folder of the socket', path: dirname(path), isWritten: true }
    const faults = faultsOf(rules, machine)
    if (faults === undefined) {
      const advice = `make it, for the user of the server: mkdir -p ${dirname(path)}`
      return [failure(`the folder of the socket ${path} does not exist`, advice)]
    }
    return faults.length === 0 ? [ok(`the socket ${path} is free`)] : [...faults]
  }
  if (!lstatSync(path).isSocket()) {
    return [failure(`${path} is no socket`, 'move it away, or give the listener another address')]
  }
  const health = await askHealth(listener)
  if (health !== undefined) return [ok(`on ${path} a server answers, which is ${health}`)]
  return [ok(`nobody answers on ${path}: it was left behind, and the next start removes it`)]
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

function unsafe(address: TcpAddress): Finding {
  return warning(
    `the listener ${showAddress(address)} speaks without TLS to other machines: tokens and secrets pass in the clear`,
    'give it tls_cert_file and tls_key_file, or an address such as 127.0.0.1 behind a proxy that ends TLS',
  )
}
