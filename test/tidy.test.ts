/** What no tool checks: that the repository stays tidy. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'

const root = join(import.meta.dirname, '..')
const SOURCES = '{core,engines,auth,storage,cmd,clients,test,scripts}/**/*.ts'
const TEXTS = [
  SOURCES,
  '*.{ts,json,jsonc,md,yml}',
  '{docs,test,deploy,clients}/**/*.{md,go,py,sh,yml}',
  '.ci/*',
  'scripts/setup',
]
/** Recorded or made by others, or about this very thing. */
const NOT_OURS = /^(?:test\/conformance\/golden\/(?!.*\.(?:ts|md)$)|package-lock\.json$)/
/** `AREA.json` stands for many. */
const PLACEHOLDER = /(?:^|\/)[A-Z]+\.(?:ts|jsonc?|go)$/
/** Made of the sources, where the client was packed. */
const BUILT = ['clients/js/dist/**']
const SELF = 'test/tidy.test.ts'

interface Place {
  readonly file: string
  readonly line: number
  readonly text: string
}

const files = globSync(TEXTS, { cwd: root, exclude: BUILT }).filter(
  (file) => !NOT_OURS.test(file) && file !== SELF,
)

test('it looks at the whole repository', () => {
  expect(files.filter((file) => file.endsWith('.ts')).length).toBeGreaterThan(300)
  expect(files).toContain('.ci/run')
  expect(files).toContain('CONTRIBUTING.md')
})

test('every source file begins with what it is, or says it where it exports', () => {
  const silent = globSync(SOURCES, { cwd: root, exclude: BUILT }).filter(
    (file) => !file.endsWith('.test.ts') && !explainsItself(read(file)),
  )

  expect(silent).toEqual([])
})

test('a TODO names its issue', () => {
  expect(places(/\b(?:TODO|FIXME|XXX|HACK)\b(?! ?\(#\d+\))/)).toEqual([])
})

test('time and randomness come from their one place', () => {
  const ambient = /\b(?:Date\.now|Math\.random|performance\.now|process\.hrtime)\b|\bnew Date\(\)/
  const allowed = [
    'core/clock.ts',
    'core/random.ts',
    'clients/js/src/clock.ts',
    /** They measure the time of the whole, and nothing depends on it. */
    'scripts/test.ts',
    'test/bench/',
  ]
  const found = places(ambient).filter(
    ({ file, text }) =>
      file.endsWith('.ts') && !isComment(text) && !allowed.some((place) => file.startsWith(place)),
  )

  expect(found).toEqual([])
})

test('a page names only files that exist', () => {
  const pages = files.filter((file) => file.endsWith('.md'))
  const wrong = pages.flatMap((page) =>
    filesNamedIn(read(page))
      .filter((name) => !exists(name, page))
      .map((name) => `${page}: ${name}`),
  )

  expect(wrong).toEqual([])
})

test('the text is about the product, and says nothing of how or where it was written', () => {
  const machines =
    /(?<!\w)\/(?:work|root)\/\w|\bregistry\.[a-z-]+\.(?:org|com|io|dev|net|example)\b/i
  const makers =
    /\b(?:claude|anthropic|copilot|chatgpt|llm|sub-?agents?|(?:earlier|previous|next|last) session)\b/i

  expect(places(machines)).toEqual([])
  expect(places(makers)).toEqual([])
})

test('the lockfile names no registry, so that any mirror will do', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/)
})

test('versions are exact', () => {
  const versions = z.record(z.string(), z.string()).default({})
  const manifest = z.looseObject({
    dependencies: versions,
    devDependencies: versions,
    optionalDependencies: versions,
  })
  const packages = ['package.json', 'scripts/node/package.json'].flatMap((file) => {
    const listed = manifest.parse(JSON.parse(read(file)))
    const all = {
      ...listed.dependencies,
      ...listed.devDependencies,
      ...listed.optionalDependencies,
    }
    return Object.entries(all)
  })

  expect(packages.length).toBeGreaterThan(10)
  expect(packages.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
})

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function places(pattern: RegExp): Place[] {
  return files.flatMap((file) =>
    read(file)
      .split('\n')
      .map((text, index) => ({ file, line: index + 1, text }))
      .filter(({ text }) => pattern.test(text)),
  )
}

function isComment(line: string): boolean {
  return /^\s*(?:\/?\*|\/\/)/.test(line)
}

/** A comment at the top, or right above the first thing that it exports. */
function explainsItself(text: string): boolean {
  const [beforeExports = ''] = text.split(/^export /m)
  return /^(?:#!.*\n)?(?:\/\*\*|\/\/)/.test(text) || beforeExports.endsWith('*/\n')
}

/** Names in backquotes that have a source's ending or are folders of ours, and targets of links. */
function filesNamedIn(page: string): string[] {
  const prose = page.replaceAll(/^```.*?^```/gms, '')
  const quoted = [
    ...prose.matchAll(/`([\w.-]+(?:\/[\w.-]+)*\.(?:ts|md|json|jsonc|go))`/g),
    ...prose.matchAll(/`((?:cmd|core|engines|storage|test|scripts|docs|\.ci)\/(?:[\w.-]+\/)*)`/g),
  ].filter(([, name = '']) => !PLACEHOLDER.test(name))
  const linked = [...prose.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)]
  return [...quoted, ...linked].map(([, name = '']) => name)
}

function exists(name: string, page: string): boolean {
  return [root, join(root, dirname(page))].some((folder) => existsSync(join(folder, name)))
}
