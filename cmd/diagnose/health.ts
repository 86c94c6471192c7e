/** Asks whoever holds a listener's address how it is. */
import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'
import { json } from 'node:stream/consumers'
import type { ListenerConfig } from '../../core/http/listener.ts'

const MAX_WAIT_MS = 3000
const PATH = '/v1/sys/health?sealedcode=200&uninitcode=200&standbyok=true'

/** @returns `unsealed`, `sealed` or `not initialised`; `undefined`: no server like this one answers */
export async function askHealth(listener: ListenerConfig): Promise<string | undefined> {
  try {
    const answer: unknown = await json(await ask(listener))
    if (typeof answer !== 'object' || answer === null) return undefined
    if (!('initialized' in answer) || !('sealed' in answer)) return undefined
    if (answer.initialized !== true) return 'not initialised'
    return answer.sealed === true ? 'sealed' : 'unsealed'
  } catch {
    return undefined
  }
}

function ask({ address, tls }: ListenerConfig): Promise<IncomingMessage> {
  const where =
    address.kind === 'unix'
      ? { socketPath: address.path }
      : { host: reachable(address.host), port: address.port }
  return new Promise((resolve, reject) => {
    const options = { ...where, path: PATH, timeout: MAX_WAIT_MS, agent: false }
    // Nothing is sent but the question, so it does not matter whose certificate it is.
    const request =
      tls === undefined
        ? requestPlain(options, resolve)
        : requestTls({ ...options, rejectUnauthorized: false }, resolve)
    request.on('error', reject)
    request.on('timeout', () => request.destroy(new Error('no answer')))
    request.end()
  })
}

/** Every address of the machine is reached by its own. */
function reachable(host: string): string {
  if (host === '' || host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}
