/** Identity, of which the server draws all ids. */
import type { Answer, Cluster } from '../support/kit.ts'
import type { Pair } from './read-back.fixture.ts'

const GUARD = 'chooses the object, and is not part of what is written'
const DRAWN = 'ids that the server draws; engines/identity has tests of them'

const readBack =
  (kind: string) =>
  async (cluster: Cluster, { data }: Answer) =>
    (await cluster.read(`identity/${kind}/id/${String(data['id'])}`)).data

const members = { member_entity_ids: DRAWN, member_group_ids: DRAWN }
const external = { write: 'external' }

const OIDC_KEY = 'identity/oidc/key/sample'
const OIDC_ROLE = 'identity/oidc/role/sample'

const oidc: Readonly<Record<string, Pair>> = {
  'identity/oidc/config': {
    base: { issuer: '' },
    values: { issuer: { write: 'https://kh.example' } },
  },
  [OIDC_KEY]: {
    values: {
      algorithm: { write: 'ES256' },
      rotation_period: { write: '7h', shown: { rotation_period: 25_200 } },
      verification_ttl: { write: '7m', shown: { verification_ttl: 420 } },
    },
  },
  [OIDC_ROLE]: {
    base: { key: 'default' },
    values: {
      key: { write: 'for-roles' },
      template: { write: '{"a":1}' },
      ttl: { write: '7m', shown: { ttl: 420 } },
    },
    prepare: (cluster: Cluster) =>
      cluster.write('identity/oidc/key/for-roles', { algorithm: 'EdDSA' }),
  },
}

export const IDENTITY_PAIRS: Readonly<Record<string, Pair>> = {
  'identity/entity': {
    read: readBack('entity'),
    values: { name: { write: 'other' } },
    unseen: { id: GUARD },
  },
  'identity/entity/name/sample': { unseen: { id: GUARD } },
  'identity/group': {
    read: readBack('group'),
    reset: (cluster: Cluster) => cluster.remove('identity/group/name/other'),
    values: { name: { write: 'other' }, type: external },
    unseen: { id: GUARD, ...members },
  },
  ...oidc,
  'identity/group/name/sample': { values: { type: external }, unseen: { id: GUARD, ...members } },
}

/** The writes that begin with an id or an accessor, which only the server knows. */
export const BY_DRAWN_IDS: readonly string[] = [
  'entity/id/sample',
  'group/id/sample',
  'group-alias',
  'group-alias/id/sample',
  ...['entity-alias', 'alias', 'persona'].flatMap((name) => [name, `${name}/id/sample`]),
].map((path) => `identity/${path}`)
