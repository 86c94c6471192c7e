/** A real RabbitMQ with its management plugin, for a test. */
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { missing } from './outside.ts'
import { startTemporary, type TemporaryServer } from './temporary-server.ts'

/** Debian's package has the script at a fixed place; the one on the PATH changes to a user of the system. */
const PROGRAM = '/usr/lib/rabbitmq/bin/rabbitmq-server'

export const ADMIN = { username: 'admin', password: 'admins-password-1' }

export interface RabbitMq extends TemporaryServer {
  /** Of the management API. */
  readonly uri: string
  /** Of AMQP. */
  readonly port: number
  /** Asks the management API, as the administrator or another user. @param path below `/api/` */
  ask(
    method: string,
    path: string,
    options?: AskOptions,
  ): Promise<{ status: number; json: unknown }>
  /** Names of all users but the administrator. */
  users(): Promise<string[]>
}

interface AskOptions {
  readonly user?: { readonly username: string; readonly password: string }
  readonly body?: unknown
}

/** @returns why to skip, or undefined if it is installed */
export function missingRabbitMq(): string | undefined {
  return existsSync(PROGRAM) ? undefined : missing('install rabbitmq-server')
}

/** Takes some seconds; a test file starts one for all its tests. */
export async function startRabbitMq(): Promise<RabbitMq> {
  const port = await freePort()
  const management = await freePort()
  const epmd = await freePort()
  const distribution = await freePort()
  const uri = `http://127.0.0.1:${management}`
  const ask: RabbitMq['ask'] = async (method, path, { user = ADMIN, body } = {}) => {
    const authorization = Buffer.from(`${user.username}:${user.password}`).toString('base64')
    const response = await fetch(`${uri}/api/${path}`, {
      method,
      headers: { authorization: `Basic ${authorization}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, json: text === '' ? null : JSON.parse(text) }
  }
  const server = await startTemporary({
    name: 'rabbitmq',
    prepare(folder) {
      writeFileSync(join(folder, 'rabbitmq.conf'), config(port, management))
      writeFileSync(join(folder, 'enabled_plugins'), '[rabbitmq_management].\n')
    },
    command: (folder) => ({
      program: PROGRAM,
      args: [],
      env: {
        HOME: folder,
        RABBITMQ_NODENAME: `keyhold${port}@localhost`,
        RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
        RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
        RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
        RABBITMQ_PID_FILE: join(folder, 'pid'),
        RABBITMQ_LOGS: '-',
        RABBITMQ_DIST_PORT: String(distribution),
        ERL_EPMD_PORT: String(epmd),
        ERL_EPMD_ADDRESS: '127.0.0.1',
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
      },
    }),
    isReady: () =>
      ask('GET', 'overview').then(
        ({ status }) => status === 200,
        () => false,
      ),
    cleanUp: () =>
      void spawnSync('epmd', ['-kill'], {
        env: { ...process.env, ERL_EPMD_PORT: String(epmd) },
        stdio: 'ignore',
      }),
  })
  return {
    ...server,
    uri,
    port,
    ask,
    async users() {
      const { json } = await ask('GET', 'users')
      if (!Array.isArray(json)) throw new Error('the broker lists no users')
      const names = json.map((user: { name: string }) => user.name)
      return names.filter((name) => name !== ADMIN.username).toSorted()
    },
  }
}

const config = (port: number, management: number) => `
listeners.tcp.1 = 127.0.0.1:${port}
management.tcp.ip = 127.0.0.1
management.tcp.port = ${management}
default_user = ${ADMIN.username}
default_pass = ${ADMIN.password}
loopback_users = none
vm_memory_high_watermark.absolute = 256MB
disk_free_limit.absolute = 10MB
`
