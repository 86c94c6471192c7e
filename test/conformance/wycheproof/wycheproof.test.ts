/**
 * Project Wycheproof (C2SP): what a cryptographic library has got wrong before, as vectors. Transit's own functions are held
 * against all of what it offers; the number of cases that are of use to it is part of the table, so that none drops out.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { missing, missingProgram } from '../../support/outside.ts'
import { aead, cmac, hkdf, hmac, keyWrap, oaep } from './judge-ciphers.ts'
import { ecdh } from './judge-agreement.ts'
import { ecdsa, ed25519, mlDsa, mlDsaMade, pkcs1, pkcs1Made, pss } from './judge-signatures.ts'
import type { JudgeOf } from './judges.ts'
import { findVectors, readGroups, type Case } from './vectors.ts'

const P256 = 'ecdsa-p256'
const P384 = 'ecdsa-p384'
const P521 = 'ecdsa-p521'
const K256 = 'ecdsa-secp256k1'

/** Not here: PSS keys under an OID of their own and SHAKE, which transit does not offer; OAEP with other hashes, which only wraps AES keys here. */
const FILES: readonly (readonly [name: string, judge: JudgeOf, cases: number])[] = [
  ['aes_gcm', aead('aes128-gcm96', 'aes256-gcm96'), 133],
  ['chacha20_poly1305', aead('chacha20-poly1305'), 316],
  ['xchacha20_poly1305', aead('xchacha20-poly1305'), 306],
  ['rsa_oaep_2048_sha256_mgf1sha256', oaep, 29],
  ['rsa_oaep_3072_sha256_mgf1sha256', oaep, 29],
  ['rsa_oaep_4096_sha256_mgf1sha256', oaep, 29],
  ['rsa_oaep_misc', oaep, 9],
  ['aes_kwp', keyWrap, 94],
  ['hkdf_sha256', hkdf, 23],
  ['hmac_sha1', hmac('sha1'), 87],
  ['hmac_sha224', hmac('sha2-224'), 87],
  ['hmac_sha256', hmac('sha2-256'), 87],
  ['hmac_sha384', hmac('sha2-384'), 87],
  ['hmac_sha512', hmac('sha2-512'), 87],
  ['hmac_sha3_224', hmac('sha3-224'), 87],
  ['hmac_sha3_256', hmac('sha3-256'), 87],
  ['hmac_sha3_384', hmac('sha3-384'), 87],
  ['hmac_sha3_512', hmac('sha3-512'), 87],
  ['ed25519', ed25519, 151],
  ['ecdsa_secp256r1_sha256', ecdsa(P256, 'asn1'), 484],
  ['ecdsa_secp256r1_sha512', ecdsa(P256, 'asn1'), 554],
  ['ecdsa_secp256r1_sha3_256', ecdsa(P256, 'asn1'), 482],
  ['ecdsa_secp256r1_sha3_512', ecdsa(P256, 'asn1'), 548],
  ['ecdsa_secp384r1_sha256', ecdsa(P384, 'asn1'), 472],
  ['ecdsa_secp384r1_sha384', ecdsa(P384, 'asn1'), 504],
  ['ecdsa_secp384r1_sha512', ecdsa(P384, 'asn1'), 542],
  ['ecdsa_secp384r1_sha3_384', ecdsa(P384, 'asn1'), 504],
  ['ecdsa_secp384r1_sha3_512', ecdsa(P384, 'asn1'), 536],
  ['ecdsa_secp521r1_sha512', ecdsa(P521, 'asn1'), 542],
  ['ecdsa_secp521r1_sha3_512', ecdsa(P521, 'asn1'), 534],
  ['ecdsa_secp256r1_sha256_p1363', ecdsa(P256, 'jws'), 262],
  ['ecdsa_secp256r1_sha512_p1363', ecdsa(P256, 'jws'), 332],
  ['ecdsa_secp384r1_sha384_p1363', ecdsa(P384, 'jws'), 280],
  ['ecdsa_secp384r1_sha512_p1363', ecdsa(P384, 'jws'), 318],
  ['ecdsa_secp521r1_sha512_p1363', ecdsa(P521, 'jws'), 318],
  ['ecdsa_secp256k1_sha256', ecdsa(K256, 'asn1'), 476],
  ['ecdsa_secp256k1_sha512', ecdsa(K256, 'asn1'), 546],
  ['ecdsa_secp256k1_sha3_256', ecdsa(K256, 'asn1'), 474],
  ['ecdsa_secp256k1_sha3_512', ecdsa(K256, 'asn1'), 540],
  ['ecdsa_secp256k1_sha256_p1363', ecdsa(K256, 'jws'), 252],
  ['ecdsa_secp256k1_sha512_p1363', ecdsa(K256, 'jws'), 322],
  ['mldsa_44_verify', mlDsa('ml-dsa-44'), 173],
  ['mldsa_65_verify', mlDsa('ml-dsa-65'), 203],
  ['mldsa_87_verify', mlDsa('ml-dsa-87'), 234],
  ['mldsa_44_sign_seed', mlDsaMade('ml-dsa-44'), 72],
  ['mldsa_65_sign_seed', mlDsaMade('ml-dsa-65'), 82],
  ['mldsa_87_sign_seed', mlDsaMade('ml-dsa-87'), 73],
  ['rsa_pkcs1_2048_sig_gen', pkcs1Made, 43],
  ['rsa_pkcs1_3072_sig_gen', pkcs1Made, 26],
  ['rsa_pkcs1_4096_sig_gen', pkcs1Made, 24],
  ['aes_cmac', cmac, 204],
  ['x25519_pem', ecdh('x25519'), 518],
  ['ecdh_secp256r1_pem', ecdh(P256), 390],
  ['ecdh_secp384r1_pem', ecdh(P384), 825],
  ['ecdh_secp521r1_pem', ecdh(P521), 696],
  ['ecdh_secp256k1', ecdh(K256), 530],
  ['rsa_pss_2048_sha1_mgf1_20', pss, 88],
  ['rsa_pss_2048_sha256_mgf1_0', pss, 103],
  ['rsa_pss_2048_sha256_mgf1_32', pss, 108],
  ['rsa_pss_2048_sha384_mgf1_48', pss, 141],
  ['rsa_pss_3072_sha256_mgf1_32', pss, 108],
  ['rsa_pss_4096_sha256_mgf1_32', pss, 108],
  ['rsa_pss_4096_sha384_mgf1_48', pss, 141],
  ['rsa_pss_4096_sha512_mgf1_32', pss, 177],
  ['rsa_pss_4096_sha512_mgf1_64', pss, 179],
  ['rsa_pss_misc', pss, 30],
  ['rsa_signature_2048_sha224', pkcs1, 258],
  ['rsa_signature_2048_sha256', pkcs1, 259],
  ['rsa_signature_2048_sha384', pkcs1, 258],
  ['rsa_signature_2048_sha512', pkcs1, 259],
  ['rsa_signature_2048_sha3_224', pkcs1, 258],
  ['rsa_signature_2048_sha3_256', pkcs1, 257],
  ['rsa_signature_2048_sha3_384', pkcs1, 258],
  ['rsa_signature_2048_sha3_512', pkcs1, 258],
  ['rsa_signature_3072_sha256', pkcs1, 259],
  ['rsa_signature_3072_sha384', pkcs1, 259],
  ['rsa_signature_3072_sha512', pkcs1, 260],
  ['rsa_signature_3072_sha3_256', pkcs1, 258],
  ['rsa_signature_3072_sha3_384', pkcs1, 259],
  ['rsa_signature_3072_sha3_512', pkcs1, 259],
  ['rsa_signature_4096_sha256', pkcs1, 258],
  ['rsa_signature_4096_sha384', pkcs1, 259],
  ['rsa_signature_4096_sha512', pkcs1, 259],
]

/**
 * What Wycheproof leaves to each. A DigestInfo without its NULL is refused, as Go and OpenSSL do: one message has one padded
 * form (RFC 8017, 8.2.2, step 4), and nobody signs with another. X25519 takes any 32 bytes (RFC 7748, 5), but for those that
 * give a secret which everybody knows (6.1). Curves are named, and points may be compressed (RFC 5480, 2.1.1 and 2.2).
 * Signatures over SHA-1 are made, as in Vault, for who still reads no others; an imported key may have a small public exponent,
 * for it signs, and its padding is read whole.
 */
const ACCEPTABLE: Readonly<Record<string, boolean>> = {
  MissingNull: false,
  WeakHash: true,
  SmallPublicKey: true,
  LowOrderPublic: false,
  Twist: true,
  NonCanonicalPublic: true,
  UnnamedCurve: false,
  CompressedPoint: true,
}

const skipReason = missingProgram('go', ['version'], 'Go 1.25 or newer')

describe.skipIf(skipReason !== undefined)(
  `Wycheproof${skipReason ? ` (${skipReason})` : ''}`,
  () => {
    let folder = ''
    let unprepared: string | undefined

    beforeAll(() => {
      const found = findVectors()
      if ('folder' in found) folder = found.folder
      else unprepared = missing(`the vectors cannot be had: ${found.why}`)
    })

    test.for(FILES)('%s', async ([name, judgeOf, count], { skip }) => {
      skip(unprepared !== undefined, unprepared)
      let cases = 0
      const wrong: string[] = []
      for (const group of readGroups(folder, name)) {
        const judge = judgeOf(group)
        for (const one of judge === undefined ? [] : group.tests) {
          const verdicts = await Promise.all((await judge?.(one)) ?? [])
          if (verdicts.length > 0) cases++
          const wanted = isToBeTaken(one)
          if (verdicts.some((verdict) => verdict !== wanted)) {
            wrong.push(`${one.tcId} ${one.comment} (${one.result}): ${verdicts.join(' ')}`)
          }
        }
      }
      expect(wrong).toEqual([])
      expect(cases).toBe(count)
    })
  },
)

/** @returns undefined for what was not decided yet, which no verdict is right for */
function isToBeTaken({ result, flags }: Case): boolean | undefined {
  if (result !== 'acceptable') return result === 'valid'
  const decided = flags.map((flag) => ACCEPTABLE[flag]).filter((one) => one !== undefined)
  return decided.length === 0 ? undefined : decided.every(Boolean)
}
