/** Plugins that fail, in every phase: their mount answers with an error, the log says why, and nothing else is harmed. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { mounted, pluginOf, startPluginCluster, type PluginCluster } from './tally.fixture.ts'

const GOOD = 'read: () => ({ data: { fine: true } })'
const PRINTS = "writeSync(2, 'here\\n')"

async function printed(cluster: PluginCluster, text: string): Promise<void> {
  await vi.waitFor(() => expect(cluster.pluginLog.join('\n')).toContain(text), 10_000)
}

/** Lets the timers of the running call be due. */
async function pass(cluster: PluginCluster, span: string): Promise<void> {
  cluster.clock.advance(span)
  await new Promise((resolve) => setImmediate(resolve))
}

test.each([
  ['throws when it is loaded', "throw new Error('broken')", 'failed: it ended with exit code 1'],
  ['ends when it is loaded', 'process.exit(7)', 'failed: it ended with exit code 7'],
  ['exports no plugin', 'export const a = 1', 'failed: it ended with exit code 1'],
  ['is no JavaScript', 'this is none', 'failed: it ended with exit code 1'],
  [
    'ends when it declares its paths',
    pluginOf(GOOD).replace('paths:', 'paths: process.exit(3) ??'),
    'exit code 3',
  ],
  [
    'throws when it declares its paths',
    pluginOf(GOOD).replace('paths:', 'paths: fail() ??'),
    'fail is not defined',
  ],
  [
    'declares a pattern that hangs',
    pluginOf(GOOD).replace("'Its name.')", "'Its name.').matching('(?:a+)+b')"),
    'it repeats a group',
  ],
  [
    'declares two rests',
    pluginOf(GOOD).replace("path(':name'", "path(':name*/a/:name*'"),
    'two rests',
  ],
])('a plugin that %s cannot be mounted', async (_what, text, log) => {
  const cluster = await startPluginCluster()
  cluster.put({ 'tried.mjs': text })
  await cluster.register('tried.mjs', { version: 'v1.0.0' })

  const { status, errors } = await cluster.write('sys/mounts/at', { type: 'tried' })

  expect(status).toBe(500)
  expect([...cluster.pluginLog, ...cluster.failures.map(String)].join('\n')).toContain(log)
  expect((await cluster.read('sys/mounts/at')).status).toBe(400)
  expect(errors).toHaveLength(1)
})

test.each([
  ['in a handler', { operations: `${GOOD}, update: () => process.exit(9)` }],
  [
    'after it has asked for a record',
    {
      operations: `${GOOD}, async update({ storage }) { await storage.get(records, 'a'); process.exit(9) }`,
    },
  ],
  [
    'after it has written',
    {
      operations: `${GOOD}, update({ storage }) { storage.put(records, 'a', { text: '' }); process.exit(9) }`,
    },
  ],
  [
    'by an error that nobody catches',
    {
      operations: `${GOOD}, update: () => { setImmediate(() => { throw new Error('lost') }); return new Promise(() => {}) }`,
    },
  ],
])(
  'a plugin that ends %s fails that request, and is started again',
  async (_what, { operations }) => {
    const cluster = await mounted(pluginOf(operations), { nodes: 1 })

    const crashed = await cluster.write('at/a')
    const after = await cluster.read('at/a')

    expect(crashed.status).toBe(500)
    expect(crashed.errors[0]).toMatch(
      /^the plugin "tried" v1\.0\.0 of this mount ended with exit code \d; nothing of this request was stored/,
    )
    expect(after.data).toEqual({ fine: true })
  },
)

test('one that fails again and again is started again after a pause, which is said', async () => {
  const cluster = await mounted(pluginOf(`${GOOD}, update: () => process.exit(9)`), { nodes: 1 })
  for (let i = 0; i < 3; i++) {
    await cluster.write('at/a')
    await pass(cluster, '600ms')
  }

  const paused = await cluster.read('at/a')
  await pass(cluster, '10s')
  const again = await cluster.read('at/a')

  expect(paused).toMatchObject({ status: 503, headers: { 'Retry-After': '1' } })
  expect(paused.errors[0]).toContain('failed: it ended with exit code 9; it is tried again in 1 s')
  expect(again.status).toBe(200)
})

test('a handler that throws is the plugin’s fault alone: the client is told no details, the log is', async () => {
  const cluster = await mounted(pluginOf("read: () => { throw new TypeError('inner detail') }"))

  const answer = await cluster.read('at/a')

  expect(answer).toMatchObject({ status: 500, errors: ['internal error'] })
  expect(String(cluster.failures.at(-1))).toContain('in the plugin tried: TypeError: inner detail')
})

test('an error of the contract reaches the client with its status', async () => {
  const cluster = await mounted(pluginOf("read: () => { throw new BadRequest('not so') }"))

  expect(await cluster.read('at/a')).toMatchObject({ status: 400, errors: ['not so'] })
})

test('an error brings no headers but Retry-After', async () => {
  const cluster = await mounted(
    pluginOf(
      "read: () => { throw new RequestError(503, 'later', { headers: { 'Retry-After': '7', 'Set-Cookie': 'a=b' } }) }",
    ),
  )

  const { status, headers } = await cluster.read('at/a')

  expect(status).toBe(503)
  expect(headers).toMatchObject({ 'Retry-After': '7' })
  expect(headers).not.toHaveProperty('Set-Cookie')
})

test.each([
  ['is no object', "'text'"],
  ['has a status of its own making', '{ status: 99 }'],
  ['grants without limits', "{ auth: { displayName: 'a', policies: ['p'] } }"],
  [
    'grants for a fraction of time',
    "{ auth: { displayName: 'a', policies: [], type: 'service', ttlSeconds: 0.5, maxTtlSeconds: 0, explicitMaxTtlSeconds: 0, periodSeconds: 0, numUses: 0, boundCidrs: [], renewable: true, noDefaultPolicy: false } }",
  ],
  ['is an answer of the server’s own', '{ data: 7 }'],
])('an answer that %s fails that request alone', async (_what, answer) => {
  const cluster = await mounted(
    pluginOf(`read: () => (${answer}), ${GOOD.replace('read', 'update')}`),
    { nodes: 1 },
  )

  const wrong = await cluster.read('at/a')

  expect(wrong.status).toBe(500)
  expect(wrong.errors[0]).toContain('answered what does not fit the contract')
  expect((await cluster.write('at/a')).data).toEqual({ fine: true })
  expect(cluster.pluginLog.filter((line) => line.includes('started'))).toHaveLength(1)
})

test('what only the server may answer is not taken from a plugin', async () => {
  const cluster = await mounted(
    pluginOf(
      "read: () => ({ data: { a: 1 }, authAnswer: { client_token: 'mine' }, wrapInfo: { token: 'mine' } })",
    ),
  )

  const { json } = await cluster.read('at/a')

  expect(json).toMatchObject({ data: { a: 1 }, auth: null, wrap_info: null })
})

test.each([
  [
    'is no JSON',
    'writeSync(3, Buffer.from([0, 0, 0, 3, 0x61, 0x62, 0x63]))',
    'sent what is no message',
  ],
  [
    'is no message',
    `writeSync(3, Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('{"say":"x"}')]))`,
    'sent what is no message',
  ],
  [
    'says that it is huge',
    'writeSync(3, Buffer.from([0x7f, 0, 0, 0]))',
    'a message of 2130706432 bytes',
  ],
  [
    'is the answer to no call, and then nonsense',
    `writeSync(3, Buffer.concat([Buffer.from([0, 0, 0, 42]), Buffer.from('{"say":"done","call":99,"writes":[["a",1]]}'.padEnd(42))]))`,
    'sent what is no message',
  ],
])('what a plugin writes on its pipe and %s ends its process', async (_what, write, why) => {
  const cluster = await mounted(
    pluginOf(`${GOOD}, update: () => { ${write}; return new Promise(() => {}) }`),
    { nodes: 1 },
  )

  const answer = await cluster.write('at/a')

  expect(answer.status).toBe(500)
  expect(cluster.pluginLog.join('\n')).toContain(why)
  expect((await cluster.read('at/a')).data).toEqual({ fine: true })
})

test('an answer that is too large fails that request alone', async () => {
  const cluster = await mounted(
    pluginOf(
      `read: () => ({ data: { text: 'x'.repeat(17 * 1024 * 1024) } }), ${GOOD.replace('read', 'update')}`,
    ),
    { nodes: 1 },
  )

  expect(await cluster.read('at/a')).toMatchObject({ status: 500, errors: ['internal error'] })
  expect(String(cluster.failures.at(-1))).toMatch(
    /a message of \d+ bytes; at most 16777216 are taken/,
  )
  expect((await cluster.write('at/a')).data).toEqual({ fine: true })
})

test('what is too large to be stored is refused as it is from a built-in engine', async () => {
  const cluster = await mounted(
    pluginOf(
      "update: ({ storage }) => storage.put(records, 'a', { text: 'x'.repeat(5 * 1024 * 1024) })",
    ),
  )

  expect(await cluster.write('at/a')).toMatchObject({ status: 413 })
})

test('a handler that never ends is given up after the time of a request, and harms no other', async () => {
  const cluster = await mounted(
    pluginOf(`${GOOD}, update: () => { ${PRINTS}; return new Promise(() => {}) }`),
    { nodes: 1, pluginCallMs: 20_000 },
  )
  const hanging = cluster.write('at/a')
  await printed(cluster, 'here')

  expect((await cluster.read('at/a')).status).toBe(200)
  await pass(cluster, '20s')

  expect((await hanging).errors[0]).toContain('gave no answer within 20 s')
  expect((await cluster.read('at/a')).status).toBe(200)
  expect(cluster.pluginLog.filter((line) => line.includes('started'))).toHaveLength(1)
})

test('a process that hangs is ended, and another one takes its place', async () => {
  const cluster = await mounted(pluginOf(`${GOOD}, update: () => { ${PRINTS}; for (;;); }`), {
    nodes: 1,
  })
  const hanging = cluster.write('at/a')
  await printed(cluster, 'here')
  for (let i = 0; i < 3; i++) await pass(cluster, '5s')

  expect((await hanging).errors[0]).toContain('has not answered for 10 s')
  expect((await cluster.read('at/a')).data).toEqual({ fine: true })
})

test('what a plugin prints is in the log, marked, shortened, and not all of a flood', async () => {
  const flood = "for (let i = 0; i < 5000; i++) writeSync(2, 'line ' + i + '\\n')"
  const cluster = await mounted(
    pluginOf(
      `read: () => { writeSync(1, 'x'.repeat(3000) + '\\n'); ${flood}; return { data: {} } }`,
    ),
    { nodes: 1 },
  )
  await cluster.read('at/a')
  cluster.clock.advance('11s')
  await cluster.read('at/a')
  await printed(cluster, 'more bytes were dropped')

  const lines = cluster.pluginLog.filter((line) => line.startsWith('tried std'))
  expect(lines.length).toBeLessThan(150)
  expect(lines).toContain('tried stderr: line 0')
  expect(lines).toContain(`tried stdout: ${'x'.repeat(1024)}…`)
})

test('a plugin sees no key but those of its own mount', async () => {
  const cluster = await mounted(
    pluginOf(`async read({ storage, data }) {
      return { data: { found: await storage.get(records, data.text), names: await storage.list('') } }
    }, update: ({ storage, data }) => storage.put(records, data.name, { text: data.text })`),
  )
  await cluster.write('sys/mounts/other', { type: 'tried' })
  await cluster.write('at/a', { text: 'mine' })
  await cluster.write('other/secret', { text: 'theirs' })
  const other = String((await cluster.read('sys/mounts/other')).data['uuid'])

  for (const key of [
    `../${other}/secret`,
    `mount/${other}/secret`,
    `/mount/${other}/secret`,
    'secret',
    'core/keyring',
  ]) {
    expect((await cluster.read(`at/a?text=${encodeURIComponent(key)}`)).data).toEqual({
      names: ['a'],
    })
  }
  expect((await cluster.read('at/a?text=a')).data).toMatchObject({ found: { text: 'mine' } })
})

test('its process holds nothing of the server', async () => {
  const cluster = await startPluginCluster({ nodes: 1 })
  const tries = {
    file: "readFileSync('/etc/hostname')",
    write: "writeFileSync('/tmp/keyhold-plugin-was-here', 'a')",
    process: "spawnSync('true')",
    worker: "new Worker('1', { eval: true })",
    addon: "process.dlopen({ exports: {} }, '/none.node')",
  }
  cluster.put({
    'tried.mjs': `
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
const attempt = (work) => { try { work(); return 'done' } catch (error) { return error.code } }
${pluginOf(`read: (request) => ({ data: {
  ${Object.entries(tries)
    .map(([name, text]) => `${name}: attempt(() => ${text})`)
    .join(',\n')},
  env: process.env, args: process.argv.slice(3), token: request.clientToken, names: Object.keys(request).sort(),
} })`)}`,
  })
  await cluster.register('tried.mjs', { env: ['REGION=here', 'A=b=c'], args: ['one'] })
  await cluster.write('sys/mounts/at', { type: 'tried' })

  const { data } = await cluster.read('at/a')

  for (const name of Object.keys(tries))
    expect(data[name], name).toMatch(/^ERR_(?:ACCESS_DENIED|DLOPEN_DISABLED)$/)
  expect(data).toMatchObject({ env: { REGION: 'here', A: 'b=c' }, args: ['one'], token: '' })
  expect(keysOf(data['env']).toSorted()).toEqual(['A', 'REGION'])
  const shown = await cluster.read('sys/plugins/catalog/secret/tried')
  expect(shown.text).not.toContain('REGION')
})

test('a sealed node runs no plugin, and an unsealed one starts it again', async () => {
  const cluster = await mounted(pluginOf('read: () => ({ data: { pid: process.pid } })'), {
    nodes: 1,
  })
  const pid = Number((await cluster.read('at/a')).data['pid'])

  await cluster.write('sys/seal')
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false))
  await cluster.write('sys/unseal', { key: cluster.unsealKeys[0] })

  const after = await cluster.read('at/a')
  expect(after.status).toBe(200)
  expect(after.data['pid']).not.toBe(pid)
})

test('a node whose directory lacks the file answers its mount with a clear error, until it is there', async () => {
  const cluster = await mounted(pluginOf(GOOD))
  const text = readFileSync(join(cluster.directory, 'tried.mjs'), 'utf8')
  rmSync(join(cluster.directory, 'tried.mjs'))
  await cluster.write('sys/plugins/reload/backend', { plugin: 'tried' })

  const missing = await cluster.read('at/a', { node: 0 })
  const stranger = await cluster.read('at/a', { node: 0, token: await cluster.tokenWith('') })
  cluster.put({ 'tried.mjs': text })
  await pass(cluster, '1s')

  expect(missing).toMatchObject({
    status: 500,
    errors: [
      'the plugin "tried" v1.0.0 of this mount cannot run: its file is not in the plugin directory of this node',
    ],
  })
  expect(stranger.status).toBe(403)
  expect((await cluster.read('at/a', { node: 0 })).data).toEqual({ fine: true })
})

test('nodes answer by what lies in their own directories, and one without a directory says so', async () => {
  const cluster = await mounted(pluginOf(GOOD), { nodes: 3 }, (directory) => [
    directory,
    join(directory, 'elsewhere'),
    undefined,
  ])

  const answers = [0, 1, 2].map((node) => cluster.read('at/a', { node }))
  const [own, empty, none] = await Promise.all(answers)

  expect(own?.data).toEqual({ fine: true })
  expect(empty?.errors[0]).toContain('its file is not in the plugin directory of this node')
  expect(none?.errors[0]).toContain('cannot run: this node has no plugin_directory')
})

test('a file that was replaced does not run', async () => {
  const cluster = await mounted(pluginOf(GOOD), { nodes: 1 })
  cluster.put({ 'tried.mjs': pluginOf(GOOD.replace('true', 'false')) })

  expect((await cluster.read('at/a')).data).toEqual({ fine: true })
  await cluster.write('sys/plugins/reload/backend', { mounts: ['at'] })
  const replaced = await cluster.read('at/a')

  expect(replaced.status).toBe(500)
  expect(replaced.errors[0]).toContain('is not what was registered, for its SHA-256 differs')
  expect(replaced.errors[0]).not.toMatch(/[0-9a-f]{64}/)
  expect(cluster.pluginLog.at(-1)).toMatch(/registered is [0-9a-f]{64}, found is [0-9a-f]{64}/)
})

test('one that was taken out of the catalog serves no more, and its process ends', async () => {
  const cluster = await mounted(pluginOf('read: () => ({ data: { pid: process.pid } })'), {
    nodes: 1,
  })
  const pid = Number((await cluster.read('at/a')).data['pid'])

  await cluster.remove('sys/plugins/catalog/secret/tried?version=v1.0.0')
  const gone = await cluster.read('at/a')
  await pass(cluster, '6s')

  expect(gone.errors[0]).toContain('is not in the catalog')
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false))
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : []
}
