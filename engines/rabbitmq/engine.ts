/** RabbitMQ: users that are made on demand, with rights in virtual hosts, and die with their leases (contract: OpenBao's `rabbitmq`). */
import type { PluginType } from '../../core/plugin/plugin.ts'
import { connectionPath } from './paths/connection.ts'
import { credsPath, users } from './paths/creds.ts'
import { leasePath } from './paths/lease.ts'
import { rolePaths } from './paths/roles.ts'

const paths = [connectionPath, leasePath, ...rolePaths, credsPath]
/** Looking whether the broker answers leaves nothing there. */
const effects = { creds: users, verify: {} }

export const rabbitmqEngine: PluginType = {
  type: 'rabbitmq',
  kind: 'secret',
  help: 'Makes users of a RabbitMQ broker on demand, and removes them when their leases end.',
  create: () => ({ paths, effects }),
}
