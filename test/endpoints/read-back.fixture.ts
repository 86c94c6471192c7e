/** How the fields of written objects are read back, where it is not by the same name from the same path. */
import { testCertificate } from '../../core/http/testing/certificate.ts'
import { isJsonObject, isList, type Json, type JsonObject } from '../../core/json.ts'
import type { Answer, Cluster } from '../support/kit.ts'
import { BY_DRAWN_IDS, IDENTITY_PAIRS } from './read-back-identity.fixture.ts'

export interface Value {
  readonly write: Json
  /** Members of what is read, by path, and what they are; absent: the field's own name and value. */
  readonly shown?: JsonObject
  /** What has to be written with it. */
  readonly along?: JsonObject
  /** What has to be patched with it; absent: as `along`. */
  readonly alongPatch?: JsonObject
}

export interface Pair {
  /** Done once, before the first field. */
  readonly prepare?: (cluster: Cluster) => Promise<unknown>
  /** Makes the object fresh; absent: it is deleted, where it can be. */
  readonly reset?: (cluster: Cluster) => Promise<unknown>
  /** What every write needs. */
  readonly base?: JsonObject
  /** Absent: GET of the same path. */
  readonly read?: (cluster: Cluster, written: Answer) => Promise<JsonObject>
  /** Values and forms of fields that a sample of their type does not do for. */
  readonly values?: Readonly<Record<string, Value>>
  /** Fields that no answer shows, each with the reason. */
  readonly unseen?: Readonly<Record<string, string>>
}

const SECRET = 'a secret, which no answer shows'
const OLD_NAME = 'an old name, which writes the field of the new name'
const GUARD = 'a condition of the write, not part of what is written'
const ONE_VERSION = 'only the version of the server itself is known'

const RULE = 'path "sample" { capabilities = ["read"] }'
const PAST_AND_FUTURE = '2099-01-02T03:04:05Z'
const NET = ['10.1.0.0/16']

const MOUNT = (cluster: Cluster) => cluster.write('sys/mounts/sample', { type: 'kv' })
const METHOD = (cluster: Cluster) => cluster.write('sys/auth/sample', { type: 'approle' })

const mountConfig = { default_lease_ttl: '7s', listing_visibility: 'unauth' }
const mountValues: Pair['values'] = {
  config: {
    write: mountConfig,
    shown: { 'config/default_lease_ttl': 7, 'config/listing_visibility': 'unauth' },
  },
}
const tuneValues: Pair['values'] = {
  default_lease_ttl: { write: '7s', shown: { default_lease_ttl: 7 } },
  max_lease_ttl: { write: '77s', shown: { max_lease_ttl: 77 } },
  audit_non_hmac_request_keys: { write: ['a', 'b'] },
  audit_non_hmac_response_keys: { write: ['a', 'b'] },
  passthrough_request_headers: { write: ['X-A'] },
  allowed_response_headers: { write: ['X-A'] },
  listing_visibility: { write: 'unauth' },
}
const rotation: Pair = {
  reset: (cluster) =>
    cluster.write('sys/rotate/config', {
      enabled: true,
      max_operations: 3_865_470_566,
      interval: 0,
    }),
  values: {
    enabled: { write: false },
    max_operations: { write: 2_000_000 },
    interval: { write: 172_800, shown: { interval: '48h0m0s' } },
  },
}
const policy = (text: string): Pair => ({
  base: { policy: 'path "before" { capabilities = ["read"] }' },
  values: {
    policy: { write: RULE, shown: { [text]: RULE } },
    expiration: { write: PAST_AND_FUTURE },
    ttl: { write: '1h', shown: { expiration: '2026-01-01T01:00:00Z' } },
    cas_required: { write: true, along: { cas: 0 }, alongPatch: { cas: 1 } },
  },
  unseen: { cas: GUARD, ...(text === 'rules' && { rules: 'an old name of policy' }) },
})
const lookedUp = async (cluster: Cluster, { auth }: Answer) =>
  (await cluster.write('auth/token/lookup', { token: auth['client_token'] ?? '' })).data

function newToken(id: string, unseen: Pair['unseen'] = {}): Pair {
  return {
    base: { policies: ['default'], ttl: '1h' },
    read: lookedUp,
    values: {
      id: { write: id },
      policies: { write: ['default', 'sample'] },
      meta: { write: { sample: 'text' } },
      no_parent: { write: true, shown: { orphan: true } },
      no_default_policy: {
        write: true,
        along: { policies: ['sample'] },
        shown: { policies: ['sample'] },
      },
      renewable: { write: false },
      ttl: { write: '7m', shown: { creation_ttl: 420 } },
      type: { write: 'batch' },
      explicit_max_ttl: { write: '7m', shown: { explicit_max_ttl: 420 } },
      display_name: { write: 'sample', shown: { display_name: 'token-sample' } },
      period: { write: '7m', shown: { period: 420 } },
    },
    unseen: {
      lease: OLD_NAME,
      entity_alias: 'only with a role that allows it; auth/token has its tests',
      ...unseen,
    },
  }
}

const TRANSIT_KEY = 'sweep-transit/keys/sample'
/** Anew: one that is there is not changed by making it. */
async function removeTransitKey(cluster: Cluster) {
  await cluster.write(`${TRANSIT_KEY}/config`, { deletion_allowed: true })
  return cluster.remove(TRANSIT_KEY)
}
const readTransitKey = async (cluster: Cluster) => (await cluster.read(TRANSIT_KEY)).data

const ROLE = 'auth/sweep-approle/role/sample'
const makeRole = (cluster: Cluster) =>
  cluster.write(ROLE, { secret_id_bound_cidrs: ['10.0.0.0/8'], token_policies: ['default'] })

function secretId({ base, unseen }: Required<Pick<Pair, 'base' | 'unseen'>>): Pair {
  return {
    prepare: makeRole,
    base,
    async reset(cluster) {
      await cluster.remove(ROLE)
      return makeRole(cluster)
    },
    async read(cluster, { data }) {
      const body = { secret_id: data['secret_id'] ?? '' }
      return (await cluster.write(`${ROLE}/secret-id/lookup`, body)).data
    },
    values: {
      metadata: { write: '{"sample":"text"}', shown: { metadata: { sample: 'text' } } },
      cidr_list: { write: NET },
      token_bound_cidrs: { write: NET },
      num_uses: { write: 7, shown: { secret_id_num_uses: 7 } },
      ttl: { write: 7, shown: { secret_id_ttl: 7 } },
    },
    unseen,
  }
}

/** A path that shows and writes one setting of a role. */
function partOfRole(
  name: string,
  base: JsonObject,
  write: Json = 7,
  unseen: Pair['unseen'] = {},
): Record<string, Pair> {
  const values = Object.fromEntries(
    Object.keys(base)
      .filter((field) => unseen[field] === undefined)
      .map((field) => [field, { write }]),
  )
  return { [`${ROLE}/${name}`]: { prepare: makeRole, reset: makeRole, base, values, unseen } }
}

const resetKv = (cluster: Cluster) =>
  cluster.write('sweep-kv2/config', {
    max_versions: 0,
    cas_required: false,
    metadata_cas_required: false,
    delete_version_after: 0,
  })

const writeLdapConfig = (mount: string) => (cluster: Cluster) =>
  cluster.write(`${mount}/config`, LDAP_CONFIG)
const LDAP_CONFIG = { url: 'ldap://127.0.0.1:1', binddn: 'cn=before', bindpass: 'before' }
const PERSON = 'dn: cn={{.Username}},dc=org\nobjectClass: person\n'
const REMOVAL = 'dn: cn={{.Username}},dc=org\nchangetype: delete\n'

/** The engine has two names. */
function ldap(type: string): Record<string, Pair> {
  const mount = `sweep-${type}`
  const { cert, key } = testCertificate('client')
  return {
    [`${mount}/config`]: {
      base: LDAP_CONFIG,
      values: {
        url: { write: 'ldap://127.0.0.1:2,ldaps://127.0.0.1' },
        schema: { write: 'racf' },
        certificate: { write: testCertificate('authority').cert },
        client_tls_cert: { write: cert, along: { client_tls_key: key } },
        tls_min_version: { write: 'tls13' },
        tls_max_version: { write: 'tls12' },
      },
      unseen: { bindpass: SECRET, client_tls_key: SECRET },
    },
    [`${mount}/role/sample`]: {
      base: { creation_ldif: PERSON, deletion_ldif: REMOVAL },
      values: {
        creation_ldif: { write: `${PERSON}sn: sample\n` },
        deletion_ldif: { write: `${REMOVAL}\n# sample\n` },
        rollback_ldif: { write: REMOVAL },
        username_template: { write: '{{uuid}}' },
      },
    },
    [`${mount}/static-role/sample`]: {
      prepare: writeLdapConfig(mount),
      base: { username: 'before', skip_import_rotation: true, rotation_period: '1h' },
      values: {
        rotation_period: { write: '7m', shown: { rotation_period: 420 } },
        rotation_schedule: { write: '0 3 * * *', along: { rotation_period: null } },
        rotation_window: {
          write: '2h',
          along: { rotation_period: null, rotation_schedule: '0 3 * * *' },
          shown: { rotation_window: 7200 },
        },
      },
      unseen: { skip_import_rotation: 'says what is done at once, not what is kept' },
    },
  }
}

const objectOf = (value: unknown): JsonObject => (isJsonObject(value) ? value : {})

/** By URL of the path. */
export const PAIRS: Readonly<Record<string, Pair>> = {
  ...IDENTITY_PAIRS,
  'sys/mounts/sample': {
    base: { type: 'kv' },
    values: {
      ...mountValues,
      type: {
        write: 'kv',
        along: { options: { version: '2' } },
        shown: { 'options/version': '2' },
      },
      options: { write: { version: '2' } },
    },
    unseen: { plugin_name: OLD_NAME, plugin_version: ONE_VERSION },
  },
  'sys/auth/sample': {
    base: { type: 'approle' },
    values: mountValues,
    unseen: {
      type: 'one method can be mounted',
      plugin_name: OLD_NAME,
      plugin_version: ONE_VERSION,
    },
  },
  'sys/mounts/sample/tune': {
    prepare: MOUNT,
    values: { ...tuneValues, options: { write: { version: '2' } } },
    unseen: {
      token_type: 'only auth methods have it',
      user_lockout_config: 'only auth methods have it',
      plugin_version: ONE_VERSION,
    },
  },
  'sys/auth/sample/tune': {
    prepare: METHOD,
    values: {
      ...tuneValues,
      token_type: { write: 'batch' },
      user_lockout_config: {
        write: { lockout_threshold: 7 },
        shown: { user_lockout_threshold: 7 },
      },
    },
    unseen: { options: 'no method has any', plugin_version: ONE_VERSION },
  },
  'sys/namespaces/sample': {
    async reset(cluster) {
      await cluster.remove('sys/mounts/sample')
      await cluster.remove('sys/namespaces/sample')
      for (const node of cluster.nodes) await node.runDuties()
    },
    unseen: { seal: 'refused: it is not offered', pgp_keys: 'refused: it is not offered' },
  },
  'sys/audit/sample': {
    base: { type: 'file', options: { file_path: 'discard' } },
    read: async (cluster) => objectOf((await cluster.read('sys/audit')).data['sample/']),
    values: { options: { write: { file_path: 'discard', log_raw: 'true' } } },
    unseen: { type: 'other types need a peer: core/audit/every-type.test.ts' },
  },
  'sys/config/auditing/request-headers/sample': {
    values: { hmac: { write: true, shown: { 'sample/hmac': true } } },
  },
  'sys/config/ui/headers/sample': {
    base: { values: ['before'] },
    read: async (cluster) =>
      (await cluster.read('sys/config/ui/headers/sample?multivalue=true')).data,
  },
  'sys/config/cors': {
    base: { allowed_origins: ['https://before.example'] },
    async read(cluster) {
      const { data } = await cluster.read('sys/config/cors')
      const { allowed_headers: names } = data
      return { ...data, hasSample: isList(names) && names.includes('X-Sample') }
    },
    values: {
      allowed_origins: { write: ['https://sample.example'] },
      allowed_headers: { write: ['X-Sample'], shown: { hasSample: true } },
    },
    unseen: { enable: 'kept for compatibility: naming origins enables it' },
  },
  'sys/quotas/lease-count/sample': {
    base: { max_leases: 1_000_000 },
    values: {
      path: { write: 'sys/sample' },
      max_leases: { write: 2_000_000 },
      inheritable: { write: false },
    },
    unseen: {
      type: 'kept for compatibility: it is in the path',
      role: 'refused: it would count tokens',
    },
  },
  'sys/quotas/rate-limit/sample': {
    base: { rate: 1_000_000 },
    values: {
      path: { write: 'sys/sample' },
      role: { write: 'sample', along: { path: 'auth/sweep-approle' } },
      rate: { write: 2_000_000.5 },
      interval: { write: 7 },
      block_interval: { write: 7 },
      inheritable: { write: false },
    },
    unseen: { type: 'kept for compatibility: it is in the path' },
  },
  'sys/raw/sample': {
    unseen: {
      compression_type: 'refused: no record is compressed',
    },
  },
  'sweep-kv2/config': {
    reset: resetKv,
    values: { delete_version_after: { write: 7, shown: { delete_version_after: '7s' } } },
  },
  'sweep-kv2/data/sample': {
    prepare: resetKv,
    base: { data: { before: 'text' } },
    values: { data: { write: { sample: 'text' }, shown: { 'data/sample': 'text' } } },
    unseen: { options: GUARD },
  },
  'sweep-kv2/metadata/sample': {
    prepare: resetKv,
    base: { custom_metadata: { before: 'text' } },
    values: {
      custom_metadata: { write: { sample: 'text' }, shown: { 'custom_metadata/sample': 'text' } },
      delete_version_after: { write: 7, shown: { delete_version_after: '7s' } },
    },
    unseen: { metadata_cas: GUARD },
  },
  'auth/sweep-approle/role/sample': {
    values: {
      bind_secret_id: { write: false, along: { secret_id_bound_cidrs: NET } },
      secret_id_bound_cidrs: { write: NET },
      bound_cidr_list: { write: NET, shown: { secret_id_bound_cidrs: NET } },
      token_bound_cidrs: { write: NET },
      token_type: { write: 'batch' },
    },
    unseen: { role_id: 'shown by role/NAME/role-id, where it is read back' },
  },
  'auth/sweep-approle/role/sample/secret-id': secretId({
    base: {},
    unseen: { secret_id: 'taken by custom-secret-id only' },
  }),
  'auth/sweep-approle/role/sample/custom-secret-id': secretId({
    base: { secret_id: 'a-secret-id' },
    unseen: { secret_id: 'it is what the others are looked up by' },
  }),
  ...partOfRole('policies', { token_policies: ['before'] }, ['sample'], { policies: OLD_NAME }),
  ...partOfRole('bound-cidr-list', { bound_cidr_list: ['10.2.0.0/16'] }, NET, {
    bound_cidr_list: OLD_NAME,
  }),
  ...partOfRole('secret-id-bound-cidrs', { secret_id_bound_cidrs: ['10.2.0.0/16'] }, NET),
  ...partOfRole('token-bound-cidrs', { token_bound_cidrs: ['10.2.0.0/16'] }, NET),
  ...partOfRole('bind-secret-id', { bind_secret_id: true }, false),
  ...partOfRole('secret-id-num-uses', { secret_id_num_uses: 5 }),
  ...partOfRole('secret-id-ttl', { secret_id_ttl: 5 }),
  ...partOfRole('period', { token_period: 5 }, 7, { period: OLD_NAME }),
  ...partOfRole('token-num-uses', { token_num_uses: 5 }),
  ...partOfRole('token-ttl', { token_ttl: 5 }),
  ...partOfRole('token-max-ttl', { token_max_ttl: 50 }),
  ...partOfRole('role-id', { role_id: 'before' }, 'sample-text'),
  'auth/sweep-userpass/users/sample': {
    base: { password: 'before' },
    values: {
      token_bound_cidrs: { write: NET },
      bound_cidrs: { write: NET },
      token_type: { write: 'batch' },
    },
    unseen: { password: SECRET, password_hash: SECRET },
  },
  'auth/token/roles/sample': {
    values: {
      token_type: { write: 'batch', along: { orphan: true, renewable: false } },
      token_bound_cidrs: { write: NET },
      bound_cidrs: { write: NET },
    },
  },
  'sys/policy/sample': policy('rules'),
  'sys/policies/acl/sample': policy('policy'),
  'sys/policies/password/sample': {
    base: { policy: 'length = 20\nrule "charset" { charset = "ab" }' },
    values: { policy: { write: 'length = 10\nrule "charset" { charset = "abc" }' } },
  },
  'sys/rotate/config': rotation,
  'sys/rotate/keyring/config': rotation,
  [TRANSIT_KEY]: {
    reset: removeTransitKey,
    values: {
      type: { write: 'ed25519' },
      convergent_encryption: { write: true, along: { derived: true } },
      auto_rotate_period: { write: '2h', shown: { auto_rotate_period: 7200 } },
      key_size: { write: 64, along: { type: 'hmac' } },
      parameter_set: { write: '65', along: { type: 'ml-dsa' } },
    },
  },
  [`${TRANSIT_KEY}/config`]: {
    read: readTransitKey,
    async reset(cluster) {
      await removeTransitKey(cluster)
      await cluster.write(TRANSIT_KEY)
      return cluster.write(`${TRANSIT_KEY}/rotate`)
    },
    values: {
      min_decryption_version: { write: 2 },
      min_encryption_version: { write: 2 },
      auto_rotate_period: { write: '2h', shown: { auto_rotate_period: 7200 } },
      state: { write: 'disabled' },
      allowed_operations: { write: 'decrypt', shown: { allowed_operations: ['decrypt'] } },
      max_operations: { write: 7 },
      on_limit: { write: 'refuse' },
      required_context: { write: 'tenant', shown: { required_context: ['tenant'] } },
      tags: { write: { sample: 'text' } },
    },
  },
  'sweep-database/config/sample': {
    base: {
      plugin_name: 'postgresql-database-plugin',
      connection_url: 'postgresql://db.example.com/app',
      verify_connection: false,
    },
    values: {
      root_rotation_statements: {
        write: ['SELECT 1'],
        shown: { root_credentials_rotate_statements: ['SELECT 1'] },
      },
    },
    unseen: {
      plugin_name: 'each kind of database takes other details: engines/database tests them',
      plugin_version: ONE_VERSION,
      verify_connection: GUARD,
    },
  },
  'sweep-database/roles/sample': {
    base: { db_name: 'before' },
    values: {
      credential_type: { write: 'rsa_private_key' },
      credential_config: { write: { password_policy: 'sample' } },
    },
  },
  'sweep-database/static-roles/sample': {
    async prepare(cluster) {
      for (const name of ['pg', 'other']) {
        await cluster.write(`sweep-database/config/${name}`, {
          plugin_name: 'postgresql-database-plugin',
          connection_url: 'postgresql://db.example.com/app',
          verify_connection: false,
          allowed_roles: '*',
        })
      }
      await cluster.remove('sweep-database/roles/sample')
    },
    base: {
      db_name: 'pg',
      username: 'before',
      rotation_period: '1h',
      skip_import_rotation: true,
    },
    values: {
      db_name: { write: 'other' },
      rotation_period: { write: '2h', shown: { rotation_period: 7200 } },
      rotation_schedule: { write: '0 0 * * *', along: { rotation_period: null } },
      rotation_window: {
        write: '2h',
        shown: { rotation_window: 7200 },
        along: { rotation_period: null, rotation_schedule: '0 0 * * *' },
      },
      credential_config: { write: { password_policy: 'sample' } },
    },
    unseen: {
      credential_type: 'PostgreSQL has passwords only',
      skip_import_rotation: GUARD,
      password: 'static-creds shows it',
      self_managed_password: 'static-creds shows it',
    },
  },
  'sweep-transit/cache-config': {
    reset: (cluster) => cluster.write('sweep-transit/cache-config', { size: 0 }),
    values: { size: { write: 20 } },
  },
  'sweep-transit/config/keys': {
    reset: (cluster) => cluster.write('sweep-transit/config/keys', { disable_upsert: false }),
  },
  'sweep-rabbitmq/config/connection': {
    base: {
      connection_uri: 'http://127.0.0.1:1',
      username: 'before',
      password: 'before',
      verify_connection: false,
    },
    values: {
      connection_uri: { write: 'http://127.0.0.1:2' },
      username_template: { write: '{{uuid}}' },
    },
    unseen: { password: SECRET, verify_connection: GUARD },
  },
  'sweep-rabbitmq/config/lease': {
    reset: (cluster) => cluster.write('sweep-rabbitmq/config/lease', {}),
  },
  'sweep-rabbitmq/roles/sample': {
    base: { tags: 'before' },
    values: {
      vhosts: { write: { '/': { configure: 'a', read: 'c', write: 'b' } } },
      vhost_topics: { write: { '/': { x: { read: 'c', write: 'b' } } } },
    },
  },
  ...ldap('ldap'),
  ...ldap('openldap'),
  'auth/token/create': newToken('a-token-of-the-sample'),
  'auth/token/create-orphan': newToken('another-token-of-the-sample', {
    no_parent: 'such a token never has one',
  }),
  'auth/token/create/sample': {
    ...newToken('a-third-token-of-the-sample'),
    prepare: (cluster) =>
      cluster.write('auth/token/roles/sample', { allowed_policies: ['default', 'sample'] }),
  },
}

/** Writes that leave nothing of their fields, or whose reading is another thing; each with the reason. */
export const ACTIONS: Readonly<Record<string, string>> = {
  ...because(
    'ids and accessors that the server draws; engines/identity has its tests',
    BY_DRAWN_IDS,
  ),
  ...because('the write asks a question', [
    'identity/lookup/entity',
    'identity/oidc/introspect',
    'identity/lookup/group',
    'sys/policies/explain',
    'sys/shares/check',
    'sys/leases/lookup',
    'sys/capabilities',
    'sys/capabilities-self',
    'sys/capabilities-accessor',
    'sys/audit-hash/sample',
    'sys/wrapping/lookup',
    'sys/decode-token',
    'sys/internal/specs/openapi',
    'sys/tools/random',
    'sys/tools/random/sample',
    'sys/tools/random/sample/sample',
    'sys/tools/hash',
    'sys/tools/hash/sample',
    'auth/sweep-approle/role/sample/secret-id/lookup',
    'auth/sweep-approle/role/sample/secret-id-accessor/lookup',
    'auth/token/lookup',
    'auth/token/lookup-self',
    'auth/token/lookup-accessor',
  ]),
  ...because('it does something at once, with tests of its own', [
    'identity/entity/batch-delete',
    'identity/entity/merge',
    'identity/oidc/key/sample/rotate',
    'sys/remount',
    'sys/shares/drill/update',
    'auth/token/inventory/revoke',
    'sys/leases/renew',
    'sys/leases/renew/sample',
    'sys/renew',
    'sys/renew/sample',
    'sys/leases/revoke',
    'sys/leases/revoke/sample',
    'sys/revoke',
    'sys/revoke/sample',
    'sys/leases/revoke-prefix/sample',
    'sys/revoke-prefix/sample',
    'sys/leases/revoke-force/sample',
    'sys/revoke-force/sample',
    'sys/leases/tidy',
    'sys/intents/00000000-0000-0000-0000-000000000000/retry',
    'sys/wrapping/wrap',
    'sys/wrapping/unwrap',
    'sys/wrapping/rewrap',
    'sys/namespaces/api-lock/lock',
    'sys/namespaces/api-lock/lock/sample',
    'sys/namespaces/api-lock/unlock',
    'sys/namespaces/api-lock/unlock/sample',
    'sys/seal',
    'sys/step-down',
    'sys/rotate',
    'sys/rotate/keyring',
    'sys/rotate/root',
    'sys/plugins/reload/backend',
    'sweep-kv2/delete/sample',
    'sweep-kv2/undelete/sample',
    'sweep-kv2/destroy/sample',
    'auth/sweep-approle/login',
    'auth/sweep-approle/tidy/secret-id',
    'auth/sweep-approle/role/sample/secret-id/destroy',
    'auth/sweep-approle/role/sample/secret-id-accessor/destroy',
    'auth/token/renew',
    'auth/token/renew-self',
    'auth/token/renew-accessor',
    'auth/token/revoke',
    'auth/token/revoke-self',
    'auth/token/revoke-orphan',
    'auth/token/revoke-accessor',
    'auth/token/tidy',
  ]),
  ...because('connections to databases: engines/database tests them', [
    'sweep-database/reset/sample',
    'sweep-database/reload/sample',
    'sweep-database/rotate-role/sample',
    'sweep-database/rotate-root/sample',
  ]),
  ...because('what is done with a key of transit: engines/transit tests it', [
    `${TRANSIT_KEY}/rotate`,
    `${TRANSIT_KEY}/soft-delete-restore`,
    `${TRANSIT_KEY}/trim`,
    `${TRANSIT_KEY}/import`,
    `${TRANSIT_KEY}/import_version`,
    `${TRANSIT_KEY}/csr`,
    `${TRANSIT_KEY}/set-certificate`,
    `${TRANSIT_KEY}/aliases/sample`,
    `${TRANSIT_KEY}/rename`,
    `${TRANSIT_KEY}/schedule-deletion`,
    `${TRANSIT_KEY}/cancel-deletion`,
    'sweep-transit/datakey-pair/sample/sample',
    'sweep-transit/derive-shared-secret/sample',
    'sweep-transit/encrypt/sample',
    'sweep-transit/decrypt/sample',
    'sweep-transit/rewrap/sample',
    'sweep-transit/datakey/sample/sample',
    'sweep-transit/sign/sample',
    'sweep-transit/sign/sample/sample',
    'sweep-transit/verify/sample',
    'sweep-transit/verify/sample/sample',
    'sweep-transit/hmac/sample',
    'sweep-transit/cmac/sample',
    'sweep-transit/cmac/sample/1',
    'sweep-transit/hmac/sample/sample',
    'sweep-transit/restore',
    'sweep-transit/restore/sample',
    'sweep-transit/derive-key/sample',
    'sweep-transit/random',
    'sweep-transit/random/sample',
    'sweep-transit/random/sample/sample',
    'sweep-transit/hash',
    'sweep-transit/hash/sample',
  ]),
  ...because('a ceremony of key shares: core/ceremonies tests its steps', [
    'sys/generate-root',
    'sys/generate-root/attempt',
    'sys/generate-root/update',
    'sys/generate-root-token/attempt',
    'sys/generate-root-token/update',
    'sys/rekey/init',
    'sys/rekey/update',
    'sys/rekey/verify',
    'sys/rotate/root/init',
    'sys/rotate/root/update',
    'sys/rotate/root/verify',
    'sys/rekey-recovery-key/init',
    'sys/rekey-recovery-key/update',
    'sys/rekey-recovery-key/verify',
    'sys/rotate/recovery/init',
    'sys/rotate/recovery/update',
    'sys/rotate/recovery/verify',
  ]),
  ...because('the kit has no log: engines/system/paths/loggers.test.ts', [
    'sys/loggers',
    'sys/loggers/sample',
  ]),
  ...because('it needs a program that is there: core/external/plugins.test.ts', [
    'sys/plugins/catalog/sample/sample',
    'sys/plugins/pins/sample/sample',
  ]),
  ...because(
    'it needs a directory: engines/ldap/static.test.ts, engines/ldap/library.test.ts',
    ['sweep-ldap', 'sweep-openldap'].flatMap((mount) => [
      `${mount}/rotate-root`,
      `${mount}/rotate-role/sample`,
      `${mount}/library/sample`,
      `${mount}/library/sample/check-out`,
      `${mount}/library/sample/check-in`,
      `${mount}/library/manage/sample/check-in`,
    ]),
  ),
  ...because('it takes a user who is there: auth/userpass/userpass.test.ts', [
    'auth/sweep-userpass/users/sample/password',
    'auth/sweep-userpass/users/sample/policies',
    'auth/sweep-userpass/login/sample',
    'sys/locked-users/sample/unlock/sample',
  ]),
  ...because('it refuses every write', ['sweep-kv2/sample']),
}

function because(reason: string, urls: readonly string[]): Record<string, string> {
  return Object.fromEntries(urls.map((url) => [url, reason]))
}
