/** An authority and certificates of its own, made with the openssl that operators use. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Pair {
  readonly cert: string
  readonly key: string
}

export interface Authority extends Pair {
  /** A certificate for this name and 127.0.0.1, in files of that name. */
  issue(name: string): Pair
}

const DAYS = 2
const NEW_KEY = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'

export function makeAuthority(dir: string): Authority {
  const own = { cert: join(dir, 'ca.crt'), key: join(dir, 'ca.key') }
  const made = `-days ${DAYS} -out ${own.cert} -keyout ${own.key}`
  openssl(`req -x509 ${NEW_KEY} -subj`, '/CN=test authority', made)
  return { ...own, issue: (name) => issue(dir, own, name) }
}

function issue(dir: string, authority: Pair, name: string): Pair {
  const file = (ending: string): string => join(dir, `${name}.${ending}`)
  openssl(`req ${NEW_KEY} -subj`, `/CN=${name}`, `-out ${file('csr')} -keyout ${file('key')}`)
  writeFileSync(file('ext'), `subjectAltName=DNS:${name},IP:127.0.0.1\n`)
  openssl(
    `x509 -req -in ${file('csr')} -CA ${authority.cert} -CAkey ${authority.key} -CAcreateserial`,
    '-days',
    `${DAYS} -extfile ${file('ext')} -out ${file('crt')}`,
  )
  return { cert: file('crt'), key: file('key') }
}

/** @param middle one argument, with its blanks */
function openssl(before: string, middle: string, after: string): void {
  execFileSync('openssl', [...before.split(' '), middle, ...after.split(' ')], { stdio: 'ignore' })
}
