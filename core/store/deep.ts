/** Keys of records anywhere below a prefix, in order, page by page. */
import type { View } from './view.ts'

/**
 * At most `limit` of them, each without the prefix.
 *
 * @param prefix empty, or ending in '/'
 * @param after only those after this one; empty: from the first
 */
export async function listBelow(
  root: View,
  prefix: string,
  { after = '', limit }: { after?: string; limit: number },
): Promise<string[]> {
  const slash = after.indexOf('/')
  const found: string[] = []
  if (slash >= 0) {
    const folder = after.slice(0, slash + 1)
    const inside = { after: after.slice(slash + 1), limit }
    for (const name of await listBelow(root, prefix + folder, inside)) found.push(folder + name)
    if (found.length >= limit) return found
  }
  const from = slash < 0 ? after : after.slice(0, slash + 1)
  const options = { ...(from !== '' && { after: from }), limit: limit - found.length }
  for (const name of await root.list(prefix, options)) {
    if (!name.endsWith('/')) found.push(name)
    else {
      const inside = await listBelow(root, prefix + name, { limit: limit - found.length })
      for (const inner of inside) found.push(name + inner)
    }
    if (found.length >= limit) break
  }
  return found
}
