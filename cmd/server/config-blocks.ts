/** Blocks with a label: `listener "tcp" { ... }`. */
import { HclError } from '../../core/hcl/errors.ts'
import { blocksOf } from '../../core/hcl/read.ts'
import type { Section } from './config-settings.ts'

const SQLITE = '"sqlite" { path = "/var/lib/keyhold/keyhold.db" }'
const EXAMPLES: Readonly<Record<string, string>> = {
  storage: `storage ${SQLITE}`,
  backend: `storage ${SQLITE}`,
  storage_source: `storage_source ${SQLITE}`,
  storage_destination: `storage_destination ${SQLITE}`,
  listener: 'listener "tcp" { address = "127.0.0.1:8200" }',
  seal: 'seal "shamir" {}',
}

/** How such a block is written. */
export function blockExample(key: string): string {
  return EXAMPLES[key] ?? ''
}

/** Each `key "label" { ... }` of all files, in order. @throws {ConfigError} one has no label */
export function labelledBlocks(
  files: readonly Section[],
  key: string,
): [label: string, section: Section][] {
  return files.flatMap((file) =>
    readBlocks(file, key).map(({ labels, at, body }): [string, Section] => {
      const [label = ''] = labels
      return [label, { body, place: file.place.moved(at), name: `${key} "${label}"` }]
    }),
  )
}

function readBlocks(file: Section, key: string) {
  try {
    return blocksOf(file.body, key, 1)
  } catch (error) {
    if (!(error instanceof HclError)) throw error
    throw file.place
      .moved(error)
      .error(`${key} must be a block with a label, such as ${blockExample(key)}`)
  }
}
