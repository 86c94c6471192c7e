/** Which file imports which, read from the text of the sources. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

export interface Import {
  readonly file: string
  readonly target: string
}

const SOURCES = '{cmd,core,engines,auth,storage,clients}/**/*.ts'
/** `import … from`, `export … from`, `import()`, a bare `import`, and a module that is loaded by its URL. */
const RELATIVE = /(?:\bfrom|\bimport|\bnew\s+URL)\s*\(?\s*['"`](\.[^'"`]+)['"`]/g

/** @returns paths relative to `root`, and how many files were read */
export function findImports(root: string): { files: number; imports: readonly Import[] } {
  const files = globSync(SOURCES, { cwd: root, exclude: ['clients/js/dist/**'] })
  const imports = files.flatMap((file) =>
    importsOf(readFileSync(join(root, file), 'utf8')).map((path) => ({
      file,
      target: normalize(join(dirname(file), path)),
    })),
  )
  return { files: files.length, imports }
}

function importsOf(text: string): string[] {
  return [...text.matchAll(RELATIVE)].map(([, path = '']) => path)
}
