import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { SqliteFeeds } from './sqlite-feed.ts'
import { connect, openFile } from './sqlite-file.ts'

const LOCK_WAIT_MS = 20

function openFeeds() {
  const directory = mkdtempSync(join(tmpdir(), 'keyhold-feed-'))
  const path = join(directory, 'keyhold.db')
  const reader = openFile(path, LOCK_WAIT_MS)
  const writer = connect(path, LOCK_WAIT_MS)
  onTestFinished(() => {
    writer.close()
    reader.close()
    rmSync(directory, { recursive: true })
  })
  const insert = writer.prepare('INSERT INTO changes (revision, keys) VALUES (?, ?)')
  return { feeds: new SqliteFeeds(reader), write: (revision: number) => insert.run(revision, 'a') }
}

test('a commit that falls between the look at the file and the reading of it is not missed', () => {
  const { feeds, write } = openFeeds()
  const feed = feeds.watch()
  write(1)
  const read = feeds.changesAfter.all.bind(feeds.changesAfter)
  vi.spyOn(feeds.changesAfter, 'all').mockImplementationOnce((position) => {
    const rows = read(position)
    write(2)
    return rows
  })

  expect(feed.take()).toEqual([{ key: 'a', revision: 1 }])
  expect(feed.take()).toEqual([{ key: 'a', revision: 2 }])
  expect(feed.take()).toEqual([])
})

test('while nothing changes, no table is read', () => {
  const { feeds, write } = openFeeds()
  write(1)
  const feed = feeds.watch(0)
  feed.take()
  const read = vi.spyOn(feeds.changesAfter, 'all')
  for (let round = 0; round < 10; round += 1) expect(feed.take()).toEqual([])
  expect(read).not.toHaveBeenCalled()
})
