/** What the storage says of plugins is believed only as far as it could have been registered. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { isJsonObject, isList, parseJson, type JsonObject } from '../../core/json.ts'
import { readPlugin } from '../../core/external/files.ts'
import { mounted, pluginOf } from '../../core/external/tally.fixture.ts'

const RECORD = 'sys/raw/core/plugin/secret/tried/v1.0.0'
const plugin = (fine: boolean) => pluginOf(`read: () => ({ data: { fine: ${fine} } })`)

test('row 74 (CVE-2026-105816): a record that was restored from elsewhere starts nothing outside of the plugin directory', async () => {
  const cluster = await mounted(plugin(true), {
    nodes: 1,
    debugging: { rawStorage: true, introspection: false },
  })
  const outside = mkdtempSync(join(tmpdir(), 'keyhold-outside-'))
  onTestFinished(() => rmSync(outside, { recursive: true }))
  const evil = join(outside, 'evil.mjs')
  writeFileSync(evil, plugin(false))
  const { sha256 } = await readPlugin(evil)
  const text = String((await cluster.read(RECORD)).data['value'])

  for (const command of [
    relative(cluster.directory, evil),
    evil,
    `tried.mjs/../${relative(cluster.directory, evil)}`,
  ]) {
    const hostile = altered(text, { command, sha256, reloads: 1 })
    expect((await cluster.write(RECORD, { value: hostile })).status).toBe(204)

    const refused = await cluster.read('at/a')

    expect([command, refused.status, refused.data]).toEqual([command, 500, {}])
    expect(refused.text).toContain('its command leads elsewhere')
  }
})

/** @param text of a record, `[version, value]` */
function altered(text: string, change: JsonObject): string {
  const parsed = parseJson(text)
  const [version, value] = isList(parsed) ? parsed : []
  return JSON.stringify([version, { ...(isJsonObject(value) && value), ...change }])
}
