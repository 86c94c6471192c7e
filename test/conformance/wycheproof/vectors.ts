/** Wycheproof's files, out of the cache of Go's modules: the version is that of go.mod, held by the digest in go.sum. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const MODULE = 'github.com/c2sp/wycheproof'

const caseSchema = z.looseObject({
  tcId: z.number(),
  comment: z.string(),
  flags: z.array(z.string()),
  result: z.enum(['valid', 'invalid', 'acceptable']),
})
const groupSchema = z.looseObject({ tests: z.array(caseSchema) })
const fileSchema = z.object({ testGroups: z.array(groupSchema) })
const downloadSchema = z.object({ Dir: z.string() })

export type Case = z.infer<typeof caseSchema>
export type Group = z.infer<typeof groupSchema>

/** @returns the folder of the files; or why there is none, as Go says it */
export function findVectors(): { folder: string } | { why: string } {
  const done = spawnSync('go', ['mod', 'download', '-json', MODULE], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  })
  if (done.status !== 0) return { why: done.stdout + done.stderr }
  const { Dir } = downloadSchema.parse(JSON.parse(done.stdout))
  return { folder: join(Dir, 'testvectors_v1') }
}

export function readGroups(folder: string, name: string): readonly Group[] {
  const text = readFileSync(join(folder, `${name}_test.json`), 'utf8')
  return fileSchema.parse(JSON.parse(text)).testGroups
}

/** Bytes, which stand there in hexadecimal. */
export function bytesOf(of: Case | Group, name: string): Buffer {
  return Buffer.from(textOf(of, name), 'hex')
}

export function textOf(of: Case | Group, name: string): string {
  return z.string().parse(of[name])
}

export function numberOf(of: Case | Group, name: string): number {
  return z.number().parse(of[name])
}
