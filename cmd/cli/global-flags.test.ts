import { createServer } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CATALOG } from './catalog.ts'
import { shellWords } from './complete.ts'
import { programNamed } from './program.ts'
import { runCommandLine } from './run.ts'
import { fakeTerminal } from './terminal.fixture.ts'

/** What asks no server, or only with what the example does not have. */
const LOCAL =
  /^(?:audit verify|auth help|completion|decrypt|encrypt|operator (?:diagnose|migrate|raft|validate-config)|plugin (?:digest|new)|policy (?:fmt|from-audit)|print token|version)(?: |$)| -decode=| -audit-file=/

/** What a command asks first, to know what its request is. */
const ASKED_FIRST: readonly (readonly [RegExp, object])[] = [
  [/^\/v1\/sys\/internal\/ui\/mounts\//, { data: { path: 'secret/', options: { version: '2' } } }],
  [/^\/v1\/sys\/init$/, { initialized: false }],
  [/^\/v1\/sys\/seal-status$/, { type: 'shamir', sealed: true }],
  [/^\/v1\/secret\/data\//, { data: { data: {}, metadata: { version: 3 } } }],
]

/** The examples of its help, as one types them. */
async function examples(): Promise<readonly (readonly [name: string, words: readonly string[]])[]> {
  const loaded = CATALOG.map(async ({ name, load }) => {
    const { about } = (await load?.()) ?? { about: '' }
    return [...about.matchAll(/^ {2}%p (.+)$/gm)].flatMap(([, line = '']) =>
      `${line} `.startsWith(`${name} `) ? [[name, shellWords(line)] as const] : [],
    )
  })
  return (await Promise.all(loaded)).flat()
}

const EXAMPLES = await examples()

let folder: string
const requests: string[] = []
const server = createServer((request, response) => {
  requests.push(`${request.method} ${request.url}`)
  const [, answer] = ASKED_FIRST.find(([url]) => url.test(request.url ?? '')) ?? []
  response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? { errors: [] }))
})
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyhold-flags-'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

test.each(EXAMPLES.filter(([, words]) => !LOCAL.test(words.join(' '))))(
  '%s %j is shown as a curl command instead of being done',
  async (name, words) => {
    requests.length = 0
    const bound = server.address()
    const port = typeof bound === 'object' ? bound?.port : 0
    const file = join(folder, 'policy.hcl')
    writeFileSync(file, 'path "a" { capabilities = ["read"] }')
    const at = name.split(' ').length
    const args = [...words.slice(0, at), '-output-curl-string', ...words.slice(at)]
    const terminal = fakeTerminal({
      env: { VAULT_ADDR: `http://127.0.0.1:${port}`, VAULT_TOKEN: 'hvs.mine' },
      input: 'something',
      hiddenLine: 'something',
    })
    const exitCode = await runCommandLine(
      args.map((word) => (word.endsWith('.hcl') ? file : word)),
      terminal,
      programNamed('keyhold'),
    )
    expect(requests.filter((line) => !line.startsWith('GET'))).toEqual([])
    expect([exitCode, terminal.written.err]).toEqual([0, expect.not.stringContaining('Error')])
    expect(terminal.written.out).toMatch(/^curl .*"http:\/\/127\.0\.0\.1/m)
    expect(terminal.written.out).not.toContain('hvs.mine')
  },
)
