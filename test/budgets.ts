/**
 * What the published package may cost. `test/e2e/package.test.ts` measures against it; who needs more raises the figure
 * here and says why in the commit. Rates and times depend on the machine: `npm run bench` measures those.
 */
export const BUDGETS = {
  /** The archive, in bytes: 733 kB with databases, LDAP, RabbitMQ, userpass and identity. */
  packedBytes: 800_000,
  /** Packages that it brings, its own among them: 56, three of them @noble's for the ciphers and curves of transit, two for LDAP, 13 for PostgreSQL, 10 for MySQL, two for bcrypt, and what those need. Each is one more to trust. */
  packages: 56,
  /** All that is installed, in bytes: 73 MB, of which better-sqlite3 is 27 for eight platforms, openpgp 17, with each build twice, @noble 4, ldapts 1, pg 1, mysql2 2, and bcrypt 1. */
  installedBytes: 74_000_000,
  /** Resident memory of a development server that has answered its first requests, in bytes: 119 to 135 MB, as the machine is busy. */
  residentBytes: 140_000_000,
} as const
