/** What `plugin new` writes. It works as it is: its test passes, and its README leads to a mount. */
import { PRODUCT_VERSION } from '../../core/version.ts'

/** @returns texts by path */
export function pluginFiles(name: string, kind: 'secret' | 'auth'): Map<string, string> {
  const fill = (text: string) => text.replaceAll('NAME', name).trimStart()
  return new Map([
    ['package.json', packageJson(name)],
    ['README.md', fill(readme(kind))],
    ['src/plugin.ts', fill(kind === 'secret' ? SECRET : AUTH)],
    ['test/plugin.test.ts', fill(kind === 'secret' ? SECRET_TEST : AUTH_TEST)],
    ['.gitignore', 'node_modules/\n'],
  ])
}

function packageJson(name: string): string {
  const manifest = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    main: 'src/plugin.ts',
    scripts: { test: 'node --test' },
    devDependencies: { keyhold: `^${PRODUCT_VERSION}` },
    engines: { node: '>=24' },
  }
  return `${JSON.stringify(manifest, undefined, 2)}\n`
}

const SECRET = `
/** Notes: short texts by name, with the time of their last change. */
import { BadRequest, kind, path, string, z, type PluginType, type Request } from 'keyhold/plugin'

/** What is stored; it is checked whenever it is read. */
const notes = kind('note', z.object({ text: z.string(), changedAtMs: z.number() }).readonly())
const PREFIX = 'notes/'
const MAX_CHARACTERS = 1000

const fields = {
  name: string('Name of the note.').required(),
  text: string('What it says.').default(''),
}
type NoteRequest = Request<typeof fields>

const notePath = path(':name', {
  summary: 'A note',
  fields,
  exists: async (request) => (await find(request)) !== undefined,
  operations: { read: show, update: write, delete: remove },
  examples: [
    { summary: 'Write one', operation: 'update', path: 'hello', request: { text: 'Hello' } },
  ],
})

const listPath = path('', {
  summary: 'The names of the notes',
  operations: {
    list: async ({ storage }) => ({ data: { keys: await storage.list(PREFIX) } }),
  },
})

const plugin: PluginType = {
  type: 'NAME',
  kind: 'secret',
  help: 'Keeps notes by name.',
  create: () => ({ paths: [notePath, listPath] }),
}
export default plugin

function find({ storage, data }: NoteRequest) {
  return storage.get(notes, PREFIX + data.name)
}

/** Nothing found becomes 404. */
async function show(request: NoteRequest) {
  const note = await find(request)
  return note && { data: { text: note.text, changed_at_ms: note.changedAtMs } }
}

function write({ storage, data, nowMs }: NoteRequest) {
  if (data.text.length > MAX_CHARACTERS) {
    throw new BadRequest(\`a note has at most \${MAX_CHARACTERS} characters\`)
  }
  storage.put(notes, PREFIX + data.name, { text: data.text, changedAtMs: nowMs })
}

function remove({ storage, data }: NoteRequest) {
  storage.delete(PREFIX + data.name)
}
`

const SECRET_TEST = `
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testMount } from 'keyhold/plugin-testing'
import plugin from '../src/plugin.ts'

test('a note is read as it was written, listed, and gone when it was deleted', async () => {
  const mount = testMount(plugin)
  await mount.request('update', 'hello', { text: 'Hello' })

  assert.equal((await mount.request('read', 'hello'))?.data?.text, 'Hello')
  assert.deepEqual((await mount.request('list', ''))?.data, { keys: ['hello'] })
  await mount.request('delete', 'hello')
  assert.equal(await mount.request('read', 'hello'), undefined)
})

test('a note that is too long is refused, and not kept', async () => {
  const mount = testMount(plugin)

  await assert.rejects(mount.request('update', 'long', { text: 'x'.repeat(1001) }), /at most 1000/)
  assert.deepEqual(mount.keys, [])
})
`

const AUTH = `
/** Logging in with a key that is shown once, when its role is made. */
import { createHash, timingSafeEqual } from 'node:crypto'
import {
  BadRequest,
  changedTokenSettings,
  grantOf,
  kind,
  NO_TOKEN_SETTINGS,
  path,
  shownTokenSettings,
  string,
  tokenFields,
  tokenSettingsSchema,
  z,
  type PluginType,
  type Request,
  type View,
} from 'keyhold/plugin'

/** What is stored: the key's hash alone, which is enough to know it again. */
const roles = kind(
  'role',
  z.object({ keySha256: z.string(), token: tokenSettingsSchema }).readonly(),
)
const PREFIX = 'roles/'

const roleFields = { name: string('Name of the role.').required(), ...tokenFields }
type RoleRequest = Request<typeof roleFields>

const loginFields = {
  role: string('Name of the role.').required(),
  key: string('Its key.').required(),
}
type LoginRequest = Request<typeof loginFields>

const rolePath = path('role/:name', {
  summary: 'A role; writing it makes a new key, which is shown this once',
  fields: roleFields,
  operations: { read: show, update: write, delete: remove },
})

const loginPath = path('login', {
  summary: 'Gives a token for a key',
  unauthenticated: true,
  fields: loginFields,
  operations: { update: login },
})

const plugin: PluginType = {
  type: 'NAME',
  kind: 'auth',
  help: 'Logs in with a key for each role.',
  create: () => ({
    paths: [loginPath, rolePath],
    // Asked when a token is renewed: what was changed of its role since then holds.
    async renew(request, { internal }) {
      const role = await find(request.storage, String(internal['role']))
      return role?.token ?? { refused: 'its role is gone' }
    },
  }),
}
export default plugin

function find(storage: View, name: string) {
  return storage.get(roles, PREFIX + name)
}

async function show({ storage, data }: RoleRequest) {
  const role = await find(storage, data.name)
  return role && { data: shownTokenSettings(role.token) }
}

async function write({ storage, data, random }: RoleRequest) {
  const before = (await find(storage, data.name))?.token ?? NO_TOKEN_SETTINGS
  const key = random.base62(32)
  const token = changedTokenSettings(before, data)
  storage.put(roles, PREFIX + data.name, { keySha256: hashOf(key), token })
  return { data: { key } }
}

function remove({ storage, data }: RoleRequest) {
  storage.delete(PREFIX + data.name)
}

/** A role that is not there and a key that is wrong are told alike. */
async function login({ storage, data, mount, client }: LoginRequest) {
  const role = await find(storage, data.role)
  const given = Buffer.from(hashOf(data.key))
  if (role === undefined || !timingSafeEqual(given, Buffer.from(role.keySha256))) {
    throw new BadRequest('invalid role or key')
  }
  return {
    auth: {
      ...grantOf(role.token, mount, client.address),
      displayName: data.role,
      metadata: { role: data.role },
      internal: { role: data.role },
      alias: { name: data.role },
    },
  }
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
`

const AUTH_TEST = `
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testMount } from 'keyhold/plugin-testing'
import plugin from '../src/plugin.ts'

test('the key of a role logs in with its policies', async () => {
  const mount = testMount(plugin)
  const made = await mount.request('update', 'role/ci', { token_policies: 'deploy' })

  const answer = await mount.request('update', 'login', { role: 'ci', key: made?.data?.key })

  assert.equal(answer?.auth?.displayName, 'ci')
  assert.deepEqual(answer?.auth?.policies, ['deploy'])
})

test('a wrong key and a role that is not there are told alike', async () => {
  const mount = testMount(plugin)
  await mount.request('update', 'role/ci')

  for (const role of ['ci', 'none']) {
    await assert.rejects(mount.request('update', 'login', { role, key: 'x' }), {
      message: 'invalid role or key',
    })
  }
})

test('a token is not renewed when its role is gone', async () => {
  const mount = testMount(plugin)

  assert.deepEqual(await mount.renew({ internal: { role: 'ci' } }), { refused: 'its role is gone' })
})
`

function readme(kind: 'secret' | 'auth'): string {
  const enable = kind === 'secret' ? 'secrets enable' : 'auth enable'
  return `
# NAME

${kind === 'secret' ? 'A secrets engine' : 'An auth method'} for Keyhold. \`src/plugin.ts\` is all of it; the server runs it as it is, without a build.

## Test

\`\`\`sh
npm install
npm test
\`\`\`

## Run

The server's configuration names a folder of plugins: \`plugin_directory = "/opt/keyhold/plugins"\`. Put the package there, on
every node; what else lies here is not part of it.

\`\`\`sh
export PLUGIN_DIRECTORY=/opt/keyhold/plugins
mkdir -p "$PLUGIN_DIRECTORY/NAME"
cp -R package.json src "$PLUGIN_DIRECTORY/NAME/"
\`\`\`

Register what lies there by its digest, and mount it:

\`\`\`sh
keyhold plugin register -version=v0.1.0 -sha256="$(keyhold plugin digest "$PLUGIN_DIRECTORY/NAME")" ${kind} NAME
keyhold ${enable} NAME
\`\`\`

Try it:

\`\`\`sh
${kind === 'secret' ? TRY_SECRET : TRY_AUTH}
\`\`\`

## Change it

Raise the version, put the package into a folder of its own (\`NAME-2\`), register that with \`-command=NAME-2\`, and tune the
mount: \`keyhold write sys/mounts/${kind === 'secret' ? '' : 'auth/'}NAME/tune plugin_version=v0.2.0\`. Running requests end in the old process. A package that needs
others brings them: bundle them into \`src\`, or put them into its \`node_modules\`. \`keyhold/plugin\` comes with the server.
`
}

const TRY_SECRET = `keyhold write NAME/hello text=Hello
keyhold read NAME/hello
keyhold list NAME`

const TRY_AUTH = `KEY=$(keyhold write -field=key auth/NAME/role/ci token_policies=default)
keyhold write auth/NAME/login role=ci key="$KEY"`
