/** In the thread of a file device: does what is ordered, one after the other, and answers each write. */
import type { MessagePort } from 'node:worker_threads'
import type { AuditDevice } from '../device.ts'
import { writeFailed } from '../failures.ts'

/** What the main thread says. */
export type Order = { readonly write: string } | 'reopen' | 'close'

/** Answers a write with why it has failed, or `undefined`. */
export function serve(port: MessagePort, device: AuditDevice): void {
  port.on('message', (order: Order) => {
    if (order === 'reopen') device.reopen()
    else if (order === 'close') void close(port, device)
    else {
      device.write(order.write).then(
        () => port.postMessage(undefined),
        (error: unknown) => port.postMessage(writeFailed(error).message),
      )
    }
  })
}

async function close(port: MessagePort, device: AuditDevice): Promise<void> {
  await device.close()
  port.close()
}
