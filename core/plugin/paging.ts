/** Lists in pages (contract: http.md, 6). */
import { integer, string } from './fields.ts'
import { path } from './path.ts'

export const pageFields = {
  after: string('Only names that sort after this one, which need not exist.').inQuery(),
  limit: integer('At most so many names; 0: all.').inQuery(),
}

/** As a storage takes it: what was not asked for is left out. */
export function page({ after, limit }: { after: string | undefined; limit: number | undefined }) {
  return {
    ...(after !== undefined && { after }),
    ...(limit !== undefined && limit > 0 && { limit }),
  }
}

/** @param prefix of the records whose names are listed */
export function listPath(
  pattern: string,
  { summary, prefix }: { summary: string; prefix: string },
) {
  return path(pattern, {
    summary,
    fields: pageFields,
    operations: {
      list: async ({ storage, data }) => ({
        data: { keys: await storage.list(prefix, page(data)) },
      }),
    },
  })
}
