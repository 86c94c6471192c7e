/** That the linter sees what it is there for: for each rule that the project promises, one file that breaks it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { CHECKS, TOOLS } from './checks.ts'

const BROKEN: Readonly<Record<string, string>> = {
  'typescript(no-floating-promises)': `
    async function work(): Promise<number> { return await Promise.resolve(1) }
    export function start(): void { work() }`,
  'typescript(no-misused-promises)': `
    export function each(list: readonly string[]): void {
      list.forEach(async (one) => { await Promise.resolve(one) })
    }`,
  'typescript(switch-exhaustiveness-check)': `
    export function say(one: 'a' | 'b'): string {
      switch (one) { case 'a': return 'A' }
      return ''
    }`,
  'typescript(only-throw-error)': `
    export function fail(): never { throw { status: 400 } }`,
  'typescript(no-explicit-any)': `
    export function take(value: any): string { return String(value) }`,
  'typescript(no-unsafe-type-assertion)': `
    export function take(value: unknown): string { return value as string }`,
  'typescript(no-unsafe-argument)': `
    export function read(text: string, take: (value: string) => void): void {
      take(Reflect.get(Object(text), 'length'))
    }`,
  'typescript(no-unsafe-assignment)': `
    export function lengthOf(text: string): number {
      const { length }: { length: number } = Object(text)
      return length
    }`,
  'typescript(no-unsafe-call)': `
    export function call(work: unknown): void { if (typeof work === 'function') work() }`,
  'typescript(no-unsafe-member-access)': `
    export function sizeOf(value: unknown): unknown { return Object(value).size }`,
  'typescript(no-unsafe-return)': `
    export function sizeOf(value: unknown): number { return Object(value) }`,
  'typescript(no-non-null-assertion)': `
    export function first(list: readonly string[]): string { return list[0]! }`,
  'typescript(prefer-nullish-coalescing)': `
    export function sizeOf(given: number | undefined): number { return given || 5 }`,
  'eslint(eqeqeq)': `
    export function same(a: number, b: number): boolean { return a == b }`,
  'import(no-cycle)': `
    import { other } from './other.ts'
    export function one(): number { return other() }`,
  'vitest(no-focused-tests)': `
    import { expect, test } from 'vitest'
    test.only('one', () => { expect(1).toBe(1) })`,
  // An unused suppression has no code of its own.
  '': `
    // oxlint-disable-next-line eqeqeq -- nothing here breaks it
    export const one = 1`,
}
const OTHER = `
  import { one } from './FILE'
  export function other(): number { return one() }`

const results = z.object({
  diagnostics: z.array(
    z.object({ code: z.string().default(''), filename: z.string(), severity: z.string() }),
  ),
})

const root = join(import.meta.dirname, '..')
let folder: string
let found: z.infer<typeof results>['diagnostics']
beforeAll(() => {
  // Outside of the project, as inside git ignores what must not be committed, and the linter what git ignores.
  folder = mkdtempSync(join(tmpdir(), 'keyhold-lint-'))
  const settings = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { types: [] },
    include: ['*.ts'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  for (const [index, text] of Object.values(BROKEN).entries()) {
    writeFileSync(join(folder, fileName(index)), text)
    if (text.includes('other.ts')) {
      writeFileSync(join(folder, 'other.ts'), OTHER.replace('FILE', fileName(index)))
    }
  }
  found = lint()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const cases = Object.keys(BROKEN).map((rule, index) => ({
  rule,
  what: rule === '' ? 'an unused suppression' : rule,
  file: fileName(index),
}))

test.each(cases)('$what is found, as an error', ({ rule, file }) => {
  const here = found.filter(({ filename }) => filename.endsWith(file))

  expect(here.map(({ code }) => code)).toContain(rule)
  expect(here.every(({ severity }) => severity === 'error')).toBe(true)
})

function fileName(index: number): string {
  return `broken-${index}.ts`
}

/** The project's own command and rules, on the folder of broken files. */
function lint(): z.infer<typeof results>['diagnostics'] {
  const [program, ...args] = CHECKS.find(({ name }) => name === 'lint')?.command ?? ['false']
  const all = [...args, `--config=${join(root, '.oxlintrc.json')}`, '--format=json', '.']
  const options = { ...TOOLS, cwd: folder, stdio: 'pipe', encoding: 'utf8' } as const
  const { stdout } = spawnSync(program, all, options)
  return results.parse(JSON.parse(stdout)).diagnostics
}
