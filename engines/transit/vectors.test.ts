/**
 * Keys, backups, ciphertexts, HMACs and signatures that a real OpenBao made, of every type and option, are read here; and a
 * backup of ours restores to the same key.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { memberOf, objectsOf, parseObject } from '../../test/support/json.ts'
import { startCluster, type Cluster } from '../../test/support/kit.ts'

const FILE = join(import.meta.dirname, '../../test/vectors/transit-vectors.json')
const vectors = objectsOf(parseObject(readFileSync(FILE, 'utf8'))['keys'])
const BACKUPS = ['backup', 'backup_min_decryption_2', 'backup_trimmed_2']

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
  await cluster.write('sys/mounts/transit', { type: 'transit' })
})
afterAll(() => cluster.close())

/** What stands in the file beside the bytes; all that a step sends but these. */
const NOT_SENT = new Set(['why', 'with', 'status', 'errors', 'valid', 'public_key', 'key_version'])

function sent(step: JsonObject, key: JsonObject, ...names: readonly string[]): JsonObject {
  const own = Object.entries(step).filter(([name]) => !NOT_SENT.has(name) && !names.includes(name))
  return { ...('context' in key && { context: key['context'] }), ...Object.fromEntries(own) }
}

const versionOf = (text: unknown) => Number(/^vault:v(\d+):/.exec(String(text))?.[1])

describe.each(vectors.map((key) => [String(key['name']), key] as const))('%s', (name, key) => {
  const path = (operation: string) => `transit/${operation}/${name}`
  beforeAll(async () => {
    const restored = await cluster.write('transit/restore', { backup: key['backup'] })
    expect(restored.status).toBe(204)
  })

  test('every key is exported as there', async () => {
    const exported = key['export']
    const kinds = isJsonObject(exported) ? Object.entries(exported) : []
    expect(kinds).not.toHaveLength(0)
    for (const [kind, keys] of kinds) {
      const [of, format = ''] = kind.split('?format=')
      const answer = await cluster.read(`transit/export/${of}/${name}?format=${format}`)
      expect([kind, answer.data['keys']]).toEqual([kind, keys])
    }
  })

  test('every ciphertext decrypts, and what must fail does', async () => {
    for (const step of [...objectsOf(key['encrypt']), ...objectsOf(key['datakey'])]) {
      const body = sent(step, key, 'plaintext', 'bits')
      const answer = await cluster.write(path('decrypt'), body)
      expect(answer.data).toEqual({ plaintext: step['plaintext'] })
    }
    for (const step of objectsOf(key['decrypt_fails'])) {
      const backup = key[String(step['with'] ?? 'backup')]
      await cluster.write(`transit/restore/${name}-failing`, { backup, force: true })
      const answer = await cluster.write(`transit/decrypt/${name}-failing`, sent(step, key))
      const text = String(memberOf(step['errors'], '0'))
      expect([step['why'], answer.status, answer.errors]).toEqual([
        step['why'],
        400,
        [expect.stringContaining(text.replace(/^1 error occurred:\n\t\* (.*)\n\n$/s, '$1'))],
      ])
    }
  })

  test('every HMAC and signature is valid, and those that were altered are not', async () => {
    for (const step of [...objectsOf(key['hmac']), ...objectsOf(key['sign'])]) {
      const { algorithm, ...body } = sent(step, key)
      const answer = await cluster.write(path('verify'), { hash_algorithm: algorithm, ...body })
      expect([body, answer.data]).toEqual([body, { valid: true }])
    }
    for (const step of objectsOf(key['verify_false'])) {
      const answer = await cluster.write(path('verify'), sent(step, key))
      expect([step, answer.data]).toEqual([step, { valid: false }])
    }
  })

  test('HMACs and signatures that leave no choice are the same', async () => {
    for (const step of objectsOf(key['hmac'])) {
      const body = { ...sent(step, key, 'hmac'), key_version: step['key_version'] }
      const made = await cluster.write(path('hmac'), body)
      expect(made.data).toEqual({ hmac: step['hmac'] })
    }
    const fixed = objectsOf(key['sign']).filter(
      ({ signature_algorithm: algorithm }) => algorithm === 'pkcs1v15' || name.includes('ed25519'),
    )
    for (const step of fixed) {
      const body = { ...sent(step, key, 'signature'), key_version: step['key_version'] }
      const made = await cluster.write(path('sign'), body)
      expect(made.data['signature']).toBe(step['signature'])
      if ('public_key' in step) expect(made.data['public_key']).toBe(step['public_key'])
    }
  })

  test.each(BACKUPS.filter((one) => one in key))(
    '%s, restored and backed up, is the same',
    async (which) => {
      const copy = `${name}-${which}`
      expect((await cluster.write(`transit/restore/${copy}`, { backup: key[which] })).status).toBe(
        204,
      )
      const again = String((await cluster.read(`transit/backup/${copy}`)).data['backup'])
      expect(comparable(again)).toEqual(comparable(String(key[which])))
      const third = `${copy}-again`
      await cluster.write(`transit/restore/${third}`, { backup: again })
      const mine = await cluster.read(`transit/keys/${third}`)
      expect(mine.data['latest_version']).toBe(key['versions'])
      for (const step of objectsOf(key['encrypt'])) {
        const kept = versionOf(step['ciphertext']) >= Number(mine.data['min_decryption_version'])
        const answer = await cluster.write(`transit/decrypt/${third}`, sent(step, key, 'plaintext'))
        expect(answer.status).toBe(kept ? 200 : 400)
      }
    },
  )
})

/** What a backup says of its keys; names and times of the copy, and the numbers that Vault and OpenBao do not share, aside. */
function comparable(backup: string): unknown {
  const text = Buffer.from(backup, 'base64')
    .toString()
    // Go's times have nanoseconds.
    .replaceAll(/"time":"([^".]*)(\.\d{1,3})?\d*Z"/g, '"time":"$1$2Z"')
    .replaceAll(/(\.\d*?)0+Z"/g, '$1Z"')
    .replaceAll('.Z"', 'Z"')
  const { policy, archived_keys: archived } = parseObject(text)
  const {
    name: _name,
    type: _type,
    soft_deleted: _soft,
    backup_info: _backup,
    restore_info: _restore,
    ...rest
  } = Object(policy)
  return { rest: JSON.stringify(rest), archived: JSON.stringify(archived) }
}
