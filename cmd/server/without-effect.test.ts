import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from './config.ts'
import { withoutEffect } from './without-effect.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function said(top: string, listener: string): string[] {
  const file = join(folder, 's.hcl')
  writeFileSync(
    file,
    `storage "inmem" {}\n${top}\nlistener "tcp" {\n  tls_disable = true\n${listener}\n}\n`,
  )
  return withoutEffect(loadConfig([file]))
}

test('nothing is said of what has its effect, or is off', () => {
  const listener = `
    disable_unauthed_rekey_endpoints = false
    disable_unauthed_generate_root_endpoints = false
    telemetry { unauthenticated_metrics_access = true }
    inflight_requests_logging { unauthenticated_in_flight_requests_access = true }`

  const top = 'pid_file = "/tmp/x"\nui = false\nraw_storage_endpoint = true'
  expect(said(top, listener)).toEqual([])
})

test('each setting that would open something that is not there is named', () => {
  expect(said('ui = true', '').map((text) => text.split(':')[0])).toEqual(['ui'])
})
