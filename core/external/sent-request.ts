/** A request as it crosses the pipe to a plugin's process. */
import type { RequestBase } from '../plugin/request.ts'
import type { SentRequest } from './protocol.ts'

/** hot: the token stays here. */
export function sentOf(base: RequestBase): SentRequest {
  const { client, caller, namespace, mount, body } = base
  const { address, port, certificates } = client
  return {
    id: base.id,
    operation: base.operation,
    path: base.path,
    nameFolded: base.nameFolded,
    body,
    mount,
    namespace,
    caller,
    wrapTtlSeconds: base.wrapTtlSeconds,
    client: {
      address,
      port,
      certificates: certificates?.map((certificate) => certificate.toString('base64')),
    },
    headers: [...base.headers],
    nowMs: base.nowMs,
  }
}
