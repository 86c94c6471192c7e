/** An operation that is measured: a script of requests, on a server that `prepare` has set up. */
import type { Script } from './load.ts'
import type { PreparedTransit } from './transit-operations.ts'

export interface Prepared {
  /** With a narrow policy. */
  readonly token: string
  readonly roleId: string
  readonly secretId: string
  readonly batchRoleId: string
  readonly batchSecretId: string
  readonly transit: PreparedTransit
}

export interface Operation {
  readonly name: string
  /** Share of the bare node:http rate that it has to reach at 32 connections, where the project has set one. */
  readonly mark?: number
  readonly script: (prepared: Prepared, connection: number) => Script
}

export function request(method: string, path: string, token: string, body?: unknown): Buffer {
  const text = body === undefined ? '' : JSON.stringify(body)
  const lines = [
    `${method} /v1/${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    ...(token === '' ? [] : [`X-Vault-Token: ${token}`]),
    ...(text === ''
      ? []
      : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`]),
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${text}`)
}

/** The same request over and over. */
export function always(bytes: Buffer): Script {
  return { next: () => bytes, keepsAnswers: false, requestsPerOperation: 1 }
}
