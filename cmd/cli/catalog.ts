/**
 * All commands by name. Each loads only when it is used, so that a command starts as fast as it can; help and spelling
 * need the names alone. An entry without `load` is a group.
 */
import type { Command } from './command.ts'

export interface Entry {
  readonly name: string
  readonly summary: string
  readonly load?: () => Promise<Command>
}

export const CATALOG: readonly Entry[] = [
  { name: 'audit', summary: 'Work with audit devices' },
  {
    name: 'audit disable',
    summary: 'Remove an audit device',
    load: async () => (await import('./audit.ts')).disable,
  },
  {
    name: 'audit enable',
    summary: 'Add an audit device',
    load: async () => (await import('./audit.ts')).enable,
  },
  {
    name: 'audit list',
    summary: 'List the audit devices',
    load: async () => (await import('./audit.ts')).list,
  },
  {
    name: 'audit verify',
    summary: 'Look whether audit files were altered',
    load: async () => (await import('./audit-verify.ts')).verify,
  },
  { name: 'auth', summary: 'Work with auth methods' },
  {
    name: 'auth disable',
    summary: 'Remove an auth method',
    load: async () => (await import('./auth.ts')).disable,
  },
  {
    name: 'auth enable',
    summary: 'Add an auth method',
    load: async () => (await import('./auth.ts')).enable,
  },
  {
    name: 'auth help',
    summary: 'Tell what logging in needs',
    load: async () => (await import('./auth.ts')).help,
  },
  {
    name: 'auth list',
    summary: 'List the auth methods',
    load: async () => (await import('./auth.ts')).list,
  },
  {
    name: 'auth move',
    summary: 'Move an auth method to another path',
    load: async () => (await import('./auth.ts')).move,
  },
  {
    name: 'auth tune',
    summary: 'Change the settings of an auth method',
    load: async () => (await import('./auth.ts')).tune,
  },
  {
    name: 'completion',
    summary: 'Print what a shell needs to complete commands',
    load: async () => (await import('./completion.ts')).completion,
  },
  { name: 'database', summary: 'Work with users of databases' },
  {
    name: 'database check',
    summary: 'Go the whole way of a role once, and show each step',
    load: async () => (await import('./database.ts')).check,
  },
  {
    name: 'debug',
    summary: 'Write down what a server does, for who is to help',
    load: async () => (await import('./debug.ts')).debug,
  },
  {
    name: 'decrypt',
    summary: 'Decrypt a file or a stream',
    load: async () => (await import('./envelope.ts')).decrypt,
  },
  {
    name: 'delete',
    summary: 'Delete what is at a path',
    load: async () => (await import('./logical.ts')).remove,
  },
  {
    name: 'encrypt',
    summary: 'Encrypt a file or a stream',
    load: async () => (await import('./envelope.ts')).encrypt,
  },
  { name: 'kv', summary: 'Work with the key-value engine' },
  {
    name: 'kv delete',
    summary: 'Delete a secret',
    load: async () => (await import('./kv/values.ts')).remove,
  },
  {
    name: 'kv destroy',
    summary: 'Remove versions for good',
    load: async () => (await import('./kv/versions.ts')).destroy,
  },
  {
    name: 'kv enable-versioning',
    summary: 'Make version 1 of the engine version 2',
    load: async () => (await import('./kv/versions.ts')).enableVersioning,
  },
  {
    name: 'kv get',
    summary: 'Show a secret',
    load: async () => (await import('./kv/values.ts')).get,
  },
  {
    name: 'kv list',
    summary: 'List secrets',
    load: async () => (await import('./kv/values.ts')).list,
  },
  { name: 'kv metadata', summary: 'Work with what is kept beside the secrets' },
  {
    name: 'kv metadata delete',
    summary: 'Delete a secret with all its versions',
    load: async () => (await import('./kv/metadata.ts')).remove,
  },
  {
    name: 'kv metadata get',
    summary: 'Show the settings and versions of a secret',
    load: async () => (await import('./kv/metadata.ts')).get,
  },
  {
    name: 'kv metadata patch',
    summary: 'Change some settings of a secret',
    load: async () => (await import('./kv/metadata.ts')).patch,
  },
  {
    name: 'kv metadata put',
    summary: 'Set the settings of a secret',
    load: async () => (await import('./kv/metadata.ts')).put,
  },
  {
    name: 'kv patch',
    summary: 'Change some fields of a secret',
    load: async () => (await import('./kv/patch.ts')).patch,
  },
  {
    name: 'kv put',
    summary: 'Store a secret',
    load: async () => (await import('./kv/values.ts')).put,
  },
  {
    name: 'kv rollback',
    summary: 'Make an older version current again',
    load: async () => (await import('./kv/versions.ts')).rollback,
  },
  {
    name: 'kv scan',
    summary: 'List secrets of the whole tree',
    load: async () => (await import('./kv/values.ts')).scan,
  },
  {
    name: 'kv undelete',
    summary: 'Bring deleted versions back',
    load: async () => (await import('./kv/versions.ts')).undelete,
  },
  { name: 'lease', summary: 'Work with leases' },
  {
    name: 'lease lookup',
    summary: 'Show a lease',
    load: async () => (await import('./lease.ts')).lookup,
  },
  {
    name: 'lease renew',
    summary: 'Prolong a lease',
    load: async () => (await import('./lease.ts')).renew,
  },
  {
    name: 'lease revoke',
    summary: 'End a lease',
    load: async () => (await import('./lease.ts')).revoke,
  },
  {
    name: 'list',
    summary: 'List the names below a path',
    load: async () => (await import('./logical.ts')).list,
  },
  { name: 'login', summary: 'Log in', load: async () => (await import('./login.ts')).login },
  {
    name: 'monitor',
    summary: 'Show the log of the server as it is written',
    load: async () => (await import('./monitor.ts')).monitor,
  },
  { name: 'namespace', summary: 'Work with namespaces' },
  {
    name: 'namespace create',
    summary: 'Make a namespace',
    load: async () => (await import('./namespace.ts')).create,
  },
  {
    name: 'namespace delete',
    summary: 'Delete a namespace',
    load: async () => (await import('./namespace.ts')).remove,
  },
  {
    name: 'namespace list',
    summary: 'List namespaces',
    load: async () => (await import('./namespace.ts')).list,
  },
  {
    name: 'namespace lock',
    summary: 'Lock the API of a namespace',
    load: async () => (await import('./namespace.ts')).lock,
  },
  {
    name: 'namespace lookup',
    summary: 'Show a namespace',
    load: async () => (await import('./namespace.ts')).lookup,
  },
  {
    name: 'namespace patch',
    summary: 'Change a namespace',
    load: async () => (await import('./namespace.ts')).patch,
  },
  {
    name: 'namespace scan',
    summary: 'List all namespaces below',
    load: async () => (await import('./namespace.ts')).scan,
  },
  {
    name: 'namespace unlock',
    summary: 'Unlock the API of a namespace',
    load: async () => (await import('./namespace.ts')).unlock,
  },
  { name: 'operator', summary: 'Initialise, unseal and look after the server' },
  {
    name: 'operator diagnose',
    summary: 'Look for what keeps a server from starting',
    load: async () => (await import('./operator-diagnose.ts')).diagnose,
  },
  {
    name: 'operator drill',
    summary: 'Prove that enough key shares are there',
    load: async () => (await import('./operator-drill.ts')).drill,
  },
  {
    name: 'operator generate-root',
    summary: 'Make a root token by key shares',
    load: async () => (await import('./operator-generate-root.ts')).generateRoot,
  },
  {
    name: 'operator init',
    summary: 'Prepare a new server',
    load: async () => (await import('./operator-init.ts')).init,
  },
  {
    name: 'operator key-status',
    summary: 'Show the encryption key in use',
    load: async () => (await import('./operator.ts')).keyStatus,
  },
  {
    name: 'operator members',
    summary: 'List the nodes',
    load: async () => (await import('./operator.ts')).members,
  },
  {
    name: 'operator migrate',
    summary: 'Copy one storage into another',
    load: async () => (await import('./operator-migrate.ts')).migrate,
  },
  {
    name: 'operator raft',
    summary: 'Tell what to do instead',
    load: async () => (await import('./operator-raft.ts')).raft,
  },
  {
    name: 'operator rekey',
    summary: 'Replace the key shares',
    load: async () => (await import('./operator-rekey.ts')).rekey,
  },
  {
    name: 'operator rotate',
    summary: 'Start a new encryption key',
    load: async () => (await import('./operator.ts')).rotate,
  },
  {
    name: 'operator rotate-keys',
    summary: 'Replace the key shares, as OpenBao calls it',
    load: async () => (await import('./operator-rekey.ts')).rotateKeys,
  },
  {
    name: 'operator seal',
    summary: 'Seal the server',
    load: async () => (await import('./operator.ts')).seal,
  },
  { name: 'operator share', summary: 'Look at key shares and their holders' },
  {
    name: 'operator share check',
    summary: 'Tell whether a key share is in force',
    load: async () => (await import('./operator-share.ts')).check,
  },
  {
    name: 'operator share status',
    summary: 'Show who holds the key shares, and the last drills',
    load: async () => (await import('./operator-share.ts')).status,
  },
  {
    name: 'operator step-down',
    summary: 'Hand the active node over',
    load: async () => (await import('./operator.ts')).stepDown,
  },
  {
    name: 'operator unseal',
    summary: 'Give a key share',
    load: async () => (await import('./operator-unseal.ts')).unseal,
  },
  {
    name: 'operator validate-config',
    summary: 'Read a configuration as the server would',
    load: async () => (await import('./operator-validate-config.ts')).validateConfig,
  },
  {
    name: 'patch',
    summary: 'Change some fields of what is at a path',
    load: async () => (await import('./logical.ts')).patch,
  },
  {
    name: 'path-help',
    summary: 'Tell what can be done at a path',
    load: async () => (await import('./logical.ts')).pathHelp,
  },
  { name: 'plugin', summary: 'Work with the plugins of the server' },
  {
    name: 'plugin deregister',
    summary: 'Take a plugin out of the catalog',
    load: async () => (await import('./plugin-catalog.ts')).deregister,
  },
  {
    name: 'plugin digest',
    summary: 'Print the digest of a plugin',
    load: async () => (await import('./plugin-author.ts')).digest,
  },
  {
    name: 'plugin info',
    summary: 'Show a plugin',
    load: async () => (await import('./plugin.ts')).info,
  },
  {
    name: 'plugin list',
    summary: 'List the plugins',
    load: async () => (await import('./plugin.ts')).list,
  },
  {
    name: 'plugin new',
    summary: 'Begin a plugin',
    load: async () => (await import('./plugin-author.ts')).create,
  },
  {
    name: 'plugin pin',
    summary: 'Have one version of a plugin serve all its mounts',
    load: async () => (await import('./plugin-pins.ts')).pin,
  },
  {
    name: 'plugin pins',
    summary: 'List the pinned versions',
    load: async () => (await import('./plugin-pins.ts')).pins,
  },
  {
    name: 'plugin register',
    summary: 'Enter a plugin in the catalog',
    load: async () => (await import('./plugin-catalog.ts')).register,
  },
  {
    name: 'plugin reload',
    summary: 'Start a plugin anew',
    load: async () => (await import('./plugin-catalog.ts')).reload,
  },
  {
    name: 'plugin unpin',
    summary: 'Let mounts have their own versions again',
    load: async () => (await import('./plugin-pins.ts')).unpin,
  },
  { name: 'policy', summary: 'Work with policies' },
  {
    name: 'policy delete',
    summary: 'Delete a policy',
    load: async () => (await import('./policy.ts')).remove,
  },
  {
    name: 'policy explain',
    summary: 'Tell why a request is allowed or refused',
    load: async () => (await import('./policy-explain.ts')).explain,
  },
  {
    name: 'policy fmt',
    summary: 'Format a policy file',
    load: async () => (await import('./policy.ts')).format,
  },
  {
    name: 'policy from-audit',
    summary: 'Propose the least policy for what a token did',
    load: async () => (await import('./policy-from-audit.ts')).fromAudit,
  },
  {
    name: 'policy lint',
    summary: 'Look for mistakes in a policy',
    load: async () => (await import('./policy-lint.ts')).lint,
  },
  {
    name: 'policy list',
    summary: 'List the policies',
    load: async () => (await import('./policy.ts')).list,
  },
  {
    name: 'policy read',
    summary: 'Show a policy',
    load: async () => (await import('./policy.ts')).read,
  },
  {
    name: 'policy write',
    summary: 'Upload a policy',
    load: async () => (await import('./policy.ts')).write,
  },
  { name: 'print', summary: 'Print what commands use' },
  {
    name: 'print token',
    summary: 'Print the token in use',
    load: async () => (await import('./token.ts')).print,
  },
  {
    name: 'read',
    summary: 'Read what is at a path',
    load: async () => (await import('./logical.ts')).read,
  },
  {
    name: 'scan',
    summary: 'List the names of a whole tree',
    load: async () => (await import('./logical.ts')).scan,
  },
  { name: 'secrets', summary: 'Work with secrets engines' },
  {
    name: 'secrets disable',
    summary: 'Remove a secrets engine',
    load: async () => (await import('./secrets.ts')).disable,
  },
  {
    name: 'secrets enable',
    summary: 'Add a secrets engine',
    load: async () => (await import('./secrets.ts')).enable,
  },
  {
    name: 'secrets list',
    summary: 'List the secrets engines',
    load: async () => (await import('./secrets.ts')).list,
  },
  {
    name: 'secrets move',
    summary: 'Move a secrets engine to another path',
    load: async () => (await import('./secrets.ts')).move,
  },
  {
    name: 'secrets tune',
    summary: 'Change the settings of a secrets engine',
    load: async () => (await import('./secrets.ts')).tune,
  },
  // The entry point starts it without coming here; it stands in the list for help.
  { name: 'server', summary: 'Start a server' },
  {
    name: 'status',
    summary: 'Show the state of the seal',
    load: async () => (await import('./status.ts')).status,
  },
  { name: 'token', summary: 'Work with tokens' },
  {
    name: 'token capabilities',
    summary: 'Show what a token may do',
    load: async () => (await import('./token.ts')).capabilities,
  },
  {
    name: 'token create',
    summary: 'Make a token',
    load: async () => (await import('./token.ts')).create,
  },
  {
    name: 'token list',
    summary: 'List tokens by what is known of them',
    load: async () => (await import('./token-inventory.ts')).list,
  },
  {
    name: 'token lookup',
    summary: 'Show a token',
    load: async () => (await import('./token.ts')).lookup,
  },
  {
    name: 'token renew',
    summary: 'Prolong a token',
    load: async () => (await import('./token.ts')).renew,
  },
  {
    name: 'token revoke',
    summary: 'Revoke a token',
    load: async () => (await import('./token.ts')).revoke,
  },
  {
    name: 'token revoke-where',
    summary: 'Revoke all tokens that meet conditions',
    load: async () => (await import('./token-inventory.ts')).revokeWhere,
  },
  {
    name: 'unwrap',
    summary: 'Show what a wrapping token holds',
    load: async () => (await import('./logical.ts')).unwrap,
  },
  {
    name: 'version',
    summary: 'Print the version',
    load: async () => (await import('./version.ts')).version,
  },
  {
    name: 'version-history',
    summary: 'List the releases that ran',
    load: async () => (await import('./version-history.ts')).versionHistory,
  },
  {
    name: 'write',
    summary: 'Write data to a path',
    load: async () => (await import('./logical.ts')).write,
  },
]
