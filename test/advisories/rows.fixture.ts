/**
 * Every published advisory of Vault and OpenBao, by its row in the project's list, and of neighbours by its id: which
 * tests show that it cannot happen here, or why there is nothing to test yet. `rows.test.ts` holds it against the tests.
 */

export interface Row {
  readonly ids: readonly string[]
  /** Files whose tests name it; or why there is none. */
  readonly tests: readonly string[] | string
}

const at = (name: string) => `test/advisories/${name}.test.ts`
const [AUTHENTICATION, AUTHORIZATION, CANARIES] = [
  at('authentication'),
  at('authorization'),
  at('canaries'),
]
const [CEREMONIES, DENIAL, FILES] = [at('ceremonies'), at('denial-of-service'), at('files')]
const [NAMESPACES, UNAUTHENTICATED, LEASES] = [
  at('namespaces'),
  at('unauthenticated'),
  at('leases'),
]
const [REST, LEAKS, OUTBOUND, RESTART] = [at('at-rest'), at('leaks'), at('outbound'), at('restart')]
const [LIMITS, TRANSIT] = [at('rate-limits'), at('transit')]
const PLUGINS = at('external-plugins')
const WHO = at('identity')
const LISTENER = 'core/http/listener.test.ts'
const TEMPLATES = 'core/policy/template.test.ts'
const TENANTS = 'core/namespaces.test.ts'

const no = (what: string) => `there is no ${what} here yet`
const PKI = no('PKI')
const CONSOLE = no('web console')
const AGENT = no('agent, proxy or driver that writes files')
const LOCKOUT = ['auth/userpass/userpass.test.ts']

const row = (ids: string, tests: readonly string[] | string): Row => ({
  ids: ids.split(' '),
  tests,
})

/** By number, from 1. */
export const ROWS: readonly Row[] = [
  row('CVE-2026-3605 HCSEC-2026-05', [AUTHORIZATION]),
  row('CVE-2026-63131 GHSA-xp3c-3jw3-4vcr', ['core/policy/acl.test.ts']),
  row('CVE-2026-71543 GHSA-59w7-v8rr-pr4p', [TEMPLATES]),
  row('CVE-2026-89322', [AUTHORIZATION]),
  row('CVE-2026-93335', [AUTHORIZATION]),
  row('CVE-2026-92735', 'its text was not to be had: to be read before the first release'),
  row('CVE-2026-105820 CVE-2026-115365', [AUTHORIZATION, NAMESPACES]),
  row('Vault-2.0.4', [AUTHORIZATION]),
  row('CVE-2025-5999 HCSEC-2025-13 CVE-2025-54996', [AUTHORIZATION]),
  row('CVE-2025-64761 GHSA-7ff4-jw48-3436', [AUTHORIZATION]),
  row('CVE-2024-9180 HCSEC-2024-21', [AUTHORIZATION]),
  row('CVE-2021-41802 HCSEC-2021-27', [WHO]),
  row('CVE-2021-43998 HCSEC-2021-30', [TEMPLATES]),
  row('CVE-2022-40186 HCSEC-2022-18', [WHO]),
  row('CVE-2020-10660', [WHO]),
  row('CVE-2020-10661', [TENANTS]),
  row('Vault-2.0.4', [WHO]),
  row('CVE-2026-55775 GHSA-mwr2-wmgp-crj6', [NAMESPACES, TENANTS]),
  row('CVE-2026-40264 GHSA-p49j-v9wc-wg57', [TENANTS]),
  row('CVE-2026-45808 GHSA-v8v8-cm84-m686 CVE-2026-55774 GHSA-c36x-h252-g9x2', [LEASES]),
  row('CVE-2026-42186 GHSA-vv66-6rp4-wr4f CVE-2020-7220', [NAMESPACES]),
  row('CVE-2026-115366', [NAMESPACES, TENANTS]),
  row('CVE-2022-25243 HCSEC-2022-09', PKI),
  row('CVE-2021-42135 HCSEC-2021-28', [UNAUTHENTICATED]),
  row('CVE-2023-0665 HCSEC-2023-11', [UNAUTHENTICATED]),
  row('CVE-2023-24999 HCSEC-2023-07', [AUTHORIZATION]),
  row('CVE-2020-35453 CVE-2023-3775 HCSEC-2023-29', no('Sentinel')),
  row('GHSA-rh46-vc3j-w2w3', [UNAUTHENTICATED]),
  row('CVE-2026-39388 GHSA-7ccv-rp6m-rffr', no('method by certificates')),
  row('CVE-2026-115356', no('method for Kubernetes')),
  row('CVE-2026-115362', [AUTHENTICATION]),
  row('CVE-2024-5798 HCSEC-2024-11 GH-263', no('method by JWT')),
  row('CVE-2026-33757 GHSA-7q7g-x6vg-xpc3', no('method by OIDC')),
  row('CVE-2026-33758 GHSA-cpj3-3r2f-xj59', no('method by OIDC')),
  row('CVE-2026-115360', no('OIDC provider')),
  row('CVE-2020-16250', no('method for AWS')),
  row('CVE-2020-16251', no('method for GCP')),
  row('CVE-2025-11621 HCSEC-2025-30 CVE-2025-59048', no('method for AWS')),
  row('CVE-2025-3879 HCSEC-2025-07', no('method for Azure')),
  row('CVE-2026-4525 GHSA-72gw-fmmr-c4r4', [AUTHORIZATION, PLUGINS]),
  row(
    'CVE-2025-6037 HCSEC-2025-18 CVE-2024-2048 HCSEC-2024-05 GH-173',
    no('method by certificates'),
  ),
  row('CVE-2024-2660 HCSEC-2024-07', no('method by certificates')),
  row('CVE-2022-41316 HCSEC-2022-24', no('method by certificates')),
  row('CVE-2025-6011 HCSEC-2025-15 CVE-2025-6010 HCSEC-2025-21 CVE-2025-54999', LOCKOUT),
  row('CVE-2020-35177 CVE-2023-3462 HCSEC-2023-24', no('method by LDAP')),
  row('CVE-2025-6004 HCSEC-2025-16 CVE-2025-54998', LOCKOUT),
  row('CVE-2025-6013 HCSEC-2025-20 CVE-2025-55001', no('method by LDAP')),
  row('CVE-2026-55770 GHSA-6mwx-4547-5vc9', no('method by LDAP')),
  row('CVE-2025-6014 HCSEC-2025-17 CVE-2025-55000', no('TOTP engine')),
  row('CVE-2025-6015 HCSEC-2025-19 CVE-2025-55003', no('second factor at a login')),
  row('CVE-2022-30689', [RESTART]),
  row('CVE-2026-46405 GHSA-7j6w-vvw2-5f9c', [AUTHENTICATION, PLUGINS]),
  row(
    'CVE-2026-63132 GHSA-34fc-gh42-pj53',
    no('recovery mode; tokens are found by their hash, and nowhere compared'),
  ),
  row('CVE-2020-35192', no('container image')),
  row('CVE-2020-24359', no('SSH engine')),
  row('CVE-2025-13357', no('method by LDAP')),
  row('CVE-2026-5807 HCSEC-2026-08', [CEREMONIES, UNAUTHENTICATED]),
  row('CVE-2025-4656 HCSEC-2025-11 CVE-2025-52894 GHSA-prpj-rchp-9j5h', [CEREMONIES]),
  row('CVE-2025-6203 HCSEC-2025-24 CVE-2025-59043 GHSA-g46h-2rq9-gw5m', [DENIAL]),
  row('CVE-2025-12044 HCSEC-2025-31', [LIMITS]),
  row('CVE-2023-6337 HCSEC-2023-34', [LISTENER]),
  row('CVE-2023-5954 HCSEC-2023-33', [DENIAL, LIMITS]),
  row('CVE-2024-8185 HCSEC-2024-26', [DENIAL]),
  row('CVE-2024-6468 HCSEC-2024-14', [LISTENER]),
  row('CVE-2021-45042 HCSEC-2021-33', [DENIAL]),
  row('CVE-2023-3774 HCSEC-2023-23', [UNAUTHENTICATED, NAMESPACES]),
  row('CVE-2026-55776 GHSA-8w8f-r2xv-4q4j', [TRANSIT]),
  row('CVE-2022-36129 HCSEC-2022-15 CVE-2021-3282 CVE-2021-27668', [UNAUTHENTICATED]),
  row('CVE-2026-5052 GHSA-8r5m-3f66-qpr3', no('ACME')),
  row('CVE-2026-115364', AGENT),
  row('CVE-2026-39396 GHSA-r65v-xgwc-g56j', no('download of plugins')),
  row('CVE-2025-54997 CVE-2025-6000 HCSEC-2025-14', [FILES]),
  row('CVE-2026-5051', [FILES]),
  row('CVE-2026-105816', [at('plugins'), PLUGINS]),
  row('CVE-2020-25594 CVE-2021-3024 HCSEC-2021-02', [UNAUTHENTICATED]),
  row('CVE-2020-8567', AGENT),
  row('CVE-2021-32923 HCSEC-2021-15', [AUTHENTICATION, LEASES]),
  row('CVE-2020-25816', [AUTHENTICATION, LEASES]),
  row('CVE-2020-12757', [AUTHENTICATION]),
  row('CVE-2021-29653', PKI),
  row('CVE-2020-13223', [LEAKS]),
  row('CVE-2025-62705 GHSA-rc54-2g2c-g36g', [CANARIES]),
  row('CVE-2025-62513 GHSA-ghfh-fmx4-26h8', [CANARIES]),
  row('CVE-2024-8365 HCSEC-2024-18', [CANARIES]),
  row('CVE-2024-0831 HCSEC-2024-01', [CANARIES]),
  row('CVE-2024-2877 HCSEC-2024-10', no('standby that forwards requests: every node serves')),
  row('CVE-2026-46358 GHSA-q8cj-789h-vg24', no('login within another request')),
  row('CVE-2025-4166 HCSEC-2025-09 CVE-2025-52893 GHSA-8f5r-8cmq-7fmq CVE-2026-115358', [CANARIES]),
  row('CVE-2025-11065 GHSA-fv92-fjc5-jj9h', [CANARIES]),
  row('CVE-2026-115363', [LEAKS]),
  row('CVE-2026-77285 GHSA-444v-8vxr-p36h', AGENT),
  row('CVE-2026-55102', [LEAKS]),
  row('CVE-2022-25244 HCSEC-2022-08', no('engine that holds keys for others')),
  row('CVE-2023-4680 HCSEC-2023-28', [TRANSIT]),
  row('CVE-2023-25000 HCSEC-2023-10', ['core/seal/shamir-masking.test.ts']),
  row('CVE-2023-2197 HCSEC-2023-14', [REST]),
  row('CVE-2026-105818 HCSEC-2026-40', no('ACME')),
  row('GHSA-g892-p242-8g86 CVE-2026-115369', PKI),
  row('CVE-2024-7594 HCSEC-2024-20', no('SSH engine')),
  row('CVE-2026-39946 GHSA-6vgr-cp5c-ffx3', ['engines/database/postgresql/postgresql.test.ts']),
  row(
    'CVE-2023-0620 HCSEC-2023-12',
    no('storage whose SQL is made of settings: that of SQLite is fixed'),
  ),
  row('CVE-2021-27400 HCSEC-2021-10', [OUTBOUND]),
  row('CVE-2023-5077 HCSEC-2023-30', no('engine that edits what others own')),
  row('CVE-2021-38553 HCSEC-2021-20', [FILES]),
  row('CVE-2021-38554 HCSEC-2021-19', [LISTENER]),
  row('CVE-2023-2121 HCSEC-2023-17', CONSOLE),
  row('GH-1651', [FILES]),
  row(
    'CVE-2025-22869 CVE-2024-28180',
    'about packages of others: those here are few, pinned, and in test/budgets.ts',
  ),
]

const CLOUDS = no('code that asks a cloud who somebody is')
const NOT_USED = 'that package, or that part of it, is not used'
const NOT_HTTP2 = 'HTTP/2 is not spoken'
const RELEASE = 'fixed in the release of Node that the project pins (package.json)'

/** Of neighbours and of the platform, by id. */
export const NEIGHBOURS: Readonly<Record<string, readonly string[] | string>> = {
  'CVE-2025-49827': CLOUDS,
  'CVE-2025-49831': CLOUDS,
  'CVE-2025-49828': 'no template is evaluated, and no policy refers to a file',
  'CVE-2026-45177': 'no part of the server trusts another: each node does all of a request',
  'Infisical-5992': no('request to an address that a tenant chose'),
  'CVE-2026-115829': no('second factor at a login'),
  'CVE-2026-60104': no('account with an address'),
  'CVE-2020-8897': [REST],
  'CVE-2020-8911': [REST],
  'CVE-2025-14759': [TRANSIT],
  'CVE-2026-22817': NOT_USED,
  'CVE-2025-59139': [LISTENER],
  'CVE-2026-24398': [AUTHORIZATION],
  'CVE-2026-69207': NOT_USED,
  'CVE-2026-126357': NOT_USED,
  'GHSA-vrm6-9wfh-7r9p': [AUTHORIZATION],
  'CVE-2024-32652': [LISTENER],
  'CVE-2024-28176': NOT_USED,
  'CVE-2022-23529': NOT_USED,
  'CVE-2025-29774': no('SAML'),
  'CVE-2023-46809': [TRANSIT],
  'CVE-2025-23166': RELEASE,
  'CVE-2026-21637': 'there are no callbacks in the TLS of a listener',
  'CVE-2026-48618': RELEASE,
  'CVE-2026-48933': 'no live process is saved and started again',
  'CVE-2025-55131': RELEASE,
  'CVE-2023-44487': NOT_HTTP2,
  'CVE-2024-27982': ['test/e2e/limits.test.ts'],
  'CVE-2025-27209': RELEASE,
  'CVE-2026-109383': NOT_USED,
  'CVE-2025-6965': ['storage/sqlite-file.test.ts'],
  'CVE-2025-12816': 'no certificate of others is parsed in JavaScript, but by node:crypto',
  'CVE-2025-1094': no('storage or engine on PostgreSQL'),
}
