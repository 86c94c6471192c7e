/** A connection to Redis or Valkey that makes, changes and removes users of its ACL. */
import { hash } from 'node:crypto'
import { isList, parseJson } from '../../../core/json.ts'
import { passwordOf } from '../credential.ts'
import type { NewUser, Session, Statements } from '../database.ts'
import { DatabaseError, nothingDone, refused, unreachable, withoutSecrets } from '../errors.ts'
import type { RedisClient } from './client.ts'
import { RedisError, type Reply } from './resp.ts'

const DEFAULT_RULES = ['~*', '+@read']

export class RedisSession implements Session {
  readonly #client: RedisClient

  constructor(client: RedisClient) {
    this.#client = client
  }

  get broken(): Error | undefined {
    return this.#client.broken
  }

  async ping(): Promise<void> {
    await this.#send([], 'PING')
  }

  async exists(username: string): Promise<boolean> {
    return (await this.#send([], 'ACL', 'GETUSER', username)) !== null
  }

  /** One command, which does all or nothing. */
  async create({ username, credential, creation }: NewUser): Promise<void> {
    const password = passwordOf(credential)
    try {
      if (await this.exists(username))
        throw refused('there is a user of this name already', 'taken')
      const given = hashed(password)
      await this.#send([password], 'ACL', 'SETUSER', username, 'ON', given, ...rules(creation))
    } catch (error) {
      throw error instanceof DatabaseError && error.code !== '' ? nothingDone(error) : error
    }
  }

  /** Users of an ACL do not end by themselves. */
  async renew(): Promise<void> {
    await Promise.resolve()
  }

  async drop({ username }: { username: string }): Promise<void> {
    await this.#send([], 'ACL', 'DELUSER', username)
  }

  async change({ username, credential }: Parameters<Session['change']>[0]): Promise<void> {
    const password = passwordOf(credential)
    if (!(await this.exists(username))) throw refused('user not found', 'unknown')
    await this.#send([password], 'ACL', 'SETUSER', username, 'RESETPASS', hashed(password))
  }

  close(): void {
    this.#client.close()
  }

  async #send(secrets: readonly string[], ...words: readonly string[]): Promise<Reply> {
    try {
      return await this.#client.send(...words)
    } catch (error) {
      throw redisFailure(error, `failed to execute ${words.slice(0, 2).join(' ')}: `, secrets)
    }
  }
}

/** The server is given no password but its hash, as it keeps it itself. */
function hashed(password: string): string {
  return `#${hash('sha256', password)}`
}

/** The rules of a role: a JSON array, or the elements as they are. */
export function rules(creation: Statements): readonly string[] {
  const [first = ''] = creation
  if (first === '') return DEFAULT_RULES
  const listed = first.trimStart().startsWith('[') ? fromJson(first) : undefined
  return (listed ?? creation).flatMap((rule) => rule.split(/\s+/)).filter((rule) => rule !== '')
}

function fromJson(text: string): string[] | undefined {
  try {
    const parsed = parseJson(text)
    return isList(parsed) ? parsed.map(String) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

export function redisFailure(
  error: unknown,
  before: string,
  secrets: readonly string[],
): DatabaseError {
  const said = error instanceof Error ? error.message : 'the connection broke'
  const text = before + withoutSecrets(said, secrets)
  if (!(error instanceof RedisError)) return unreachable(text)
  return refused(text, /^[A-Z]+/.exec(said)?.[0] ?? 'ERR')
}
