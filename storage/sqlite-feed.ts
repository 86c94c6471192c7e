/**
 * The change feed of a SQLite file. SQLite keeps a number for each connection that changes when any other connection,
 * of this process or of another, has committed: reading it takes under a microsecond and touches no table. Our own
 * commits show too, as the commit thread's connection is another one.
 */
import { failureOf, unavailable } from './sqlite-file.ts'
import type Database from 'better-sqlite3'
import type { Change, Feed } from './contract.ts'

interface ChangesRow {
  readonly revision: number
  readonly keys: string
}

const NOTHING: readonly Change[] = []

/** The statements that all feeds of a connection share. */
export class SqliteFeeds {
  readonly dataVersion: Database.Statement<[], number>
  readonly changesAfter: Database.Statement<[number], ChangesRow>
  readonly lastRevision: Database.Statement<[], number>

  constructor(database: Database.Database) {
    this.dataVersion = database.prepare<[], number>('PRAGMA data_version').pluck()
    this.changesAfter = database.prepare<[number], ChangesRow>(
      'SELECT revision, keys FROM changes WHERE revision > ? ORDER BY revision',
    )
    this.lastRevision = database
      .prepare<[], number>('SELECT coalesce(max(revision), 0) FROM changes')
      .pluck()
  }

  watch(since?: number): SqliteFeed {
    try {
      return new SqliteFeed(this, since ?? this.lastRevision.get() ?? 0)
    } catch (error) {
      throw unavailable(failureOf(error, 'read'))
    }
  }
}

class SqliteFeed implements Feed {
  readonly #feeds: SqliteFeeds
  #position: number
  /** The data version that `#position` includes; none is negative. */
  #seen = -1

  constructor(feeds: SqliteFeeds, position: number) {
    this.#feeds = feeds
    this.#position = position
  }

  /** hot: several times a request. */
  take(): readonly Change[] | 'lost' {
    try {
      // Read before the changes: a commit between the two is found again next time, and adds nothing then.
      const version = this.#feeds.dataVersion.get() ?? -1
      if (version === this.#seen) return NOTHING
      const changes = this.#read()
      this.#seen = version
      return changes
    } catch (error) {
      throw unavailable(failureOf(error, 'read'))
    }
  }

  /** Holds nothing: what has changed is read from the file. */
  close(): void {}

  #read(): readonly Change[] | 'lost' {
    const rows = this.#feeds.changesAfter.all(this.#position)
    const first = rows[0]
    const last = rows.at(-1)
    if (first === undefined || last === undefined) return this.#readNone()
    const expected = this.#position + 1
    this.#position = last.revision
    // Revisions have no gaps, so a later first one means that those between were trimmed.
    return first.revision === expected ? changesOf(rows) : 'lost'
  }

  /** Nothing after our position: unless the position is that of another storage (a backup was restored), no change. */
  #readNone(): readonly Change[] | 'lost' {
    const last = this.#feeds.lastRevision.get() ?? 0
    if (last >= this.#position) return NOTHING
    this.#position = last
    return 'lost'
  }
}

function changesOf(rows: readonly ChangesRow[]): Change[] {
  const changes: Change[] = []
  for (const { revision, keys } of rows) {
    if (keys === '') continue
    for (const key of keys.split('\0')) changes.push({ key, revision })
  }
  return changes
}
