import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:https'
import { connect } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { systemRandom } from '../../core/random.ts'
import { makeDevCertificate, writeDevFiles } from './dev-certificate.ts'

const NOW_MS = Date.UTC(2026, 10, 24)

function make(host = '127.0.0.1', nowMs = NOW_MS) {
  const made = makeDevCertificate(host, { random: systemRandom, nowMs })
  return { ...made, ca: new X509Certificate(made.authority), leaf: new X509Certificate(made.cert) }
}

test('the certificate is one of the authority, for this machine and no authority itself', () => {
  const { ca, leaf } = make()
  expect(leaf.checkIssued(ca)).toBe(true)
  expect(leaf.verify(ca.publicKey)).toBe(true)
  expect(ca.verify(ca.publicKey)).toBe(true)
  expect([ca.ca, leaf.ca]).toEqual([true, false])
  expect(leaf.checkHost('localhost')).toBe('localhost')
  expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(leaf.checkIP('::1')).toBe('::1')
  expect(leaf.checkHost('example.com')).toBeUndefined()
})

test.each(['10.1.2.3', '2001:db8::1', 'fe80::1', 'vault.test'])('it is good for %s too', (host) => {
  const { leaf } = make(host)
  const check = host === 'vault.test' ? leaf.checkHost(host) : leaf.checkIP(host)
  expect(check).toBe(host)
})

test('an address that stands for all is no name in it', () => {
  expect(make('0.0.0.0').leaf.checkIP('0.0.0.0')).toBeUndefined()
  expect(make('::').leaf.subjectAltName).not.toContain('0:0:0:0:0:0:0:0')
})

test('it is valid for a year, and from a little before', () => {
  const { leaf, ca } = make()
  expect(leaf.validFrom).toBe('Nov 23 23:59:00 2026 GMT')
  expect(leaf.validTo).toBe('Nov 24 00:00:00 2027 GMT')
  expect(ca.validTo).toBe(leaf.validTo)
})

test('each start has an authority and serial numbers of its own', () => {
  const [one, other] = [make(), make()]
  expect(one.ca.publicKey.equals(other.ca.publicKey)).toBe(false)
  const serials = [one.ca, one.leaf, other.ca, other.leaf].map(({ serialNumber }) => serialNumber)
  expect(new Set(serials).size).toBe(4)
})

test('a client that trusts the authority, and it alone, connects', async () => {
  const { authority, cert, key } = make('127.0.0.1', systemClock.nowMs())
  const server = createServer({ cert, key })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const bound = server.address()
  const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0
  const tryWith = (ca: string) =>
    new Promise<string>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, ca }, () => {
        resolve('connected')
        socket.destroy()
      })
      socket.on('error', (error: Error) => resolve(error.message))
    })
  expect(await tryWith(authority)).toBe('connected')
  expect(await tryWith(make('127.0.0.1', systemClock.nowMs()).authority)).not.toBe('connected')
})

test('the files have the names that scripts look for; only the owner reads the key', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyhold-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const made = make()
  const files = writeDevFiles(folder, made)
  expect(files.authorityFile).toBe(join(folder, 'vault-ca.pem'))
  expect(readFileSync(join(folder, 'vault-cert.pem'), 'utf8')).toBe(made.cert)
  expect(statSync(join(folder, 'vault-key.pem')).mode & 0o777).toBe(0o600)
})
