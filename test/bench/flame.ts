/** A CPU profile of V8 as a flame graph: one SVG file that a browser shows. */
import { z } from 'zod'

const node = z.object({
  id: z.number(),
  callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
  hitCount: z.number().optional(),
  children: z.array(z.number()).optional(),
})
const profile = z.object({ nodes: z.array(node) })
type ProfileNode = z.infer<typeof node>
type CpuProfile = z.infer<typeof profile>

/** @param text a `.cpuprofile` file */
export function parseProfile(text: string): CpuProfile {
  return profile.parse(JSON.parse(text))
}

const WIDTH = 1600
const ROW = 16
/** Narrower boxes are left out. */
const MIN_BOX = 0.6
/** Pixels that a character takes, about. */
const CHARACTER = 6.5

interface Box {
  readonly x: number
  readonly width: number
  readonly depth: number
  readonly label: string
  readonly share: number
}

export function flameGraph(profile: CpuProfile): string {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]))
  const totals = new Map<number, number>()
  const total = (id: number): number => {
    const known = totals.get(id)
    if (known !== undefined) return known
    const node = byId.get(id)
    const sum = (node?.children ?? []).reduce(
      (all, child) => all + total(child),
      node?.hitCount ?? 0,
    )
    totals.set(id, sum)
    return sum
  }
  const root = profile.nodes[0]
  const all = root === undefined ? 0 : total(root.id)
  const boxes: Box[] = []
  const place = (id: number, x: number, depth: number): void => {
    const node = byId.get(id)
    const width = (total(id) / all) * WIDTH
    if (node === undefined || width < MIN_BOX) return
    boxes.push({ x, width, depth, label: labelOf(node), share: total(id) / all })
    let at = x
    for (const child of node.children ?? []) {
      place(child, at, depth + 1)
      at += (total(child) / all) * WIDTH
    }
  }
  if (root !== undefined && all > 0) place(root.id, 0, 0)
  return svg(boxes)
}

function labelOf({ callFrame }: ProfileNode): string {
  const file = callFrame.url.split('/').slice(-2).join('/')
  const name = callFrame.functionName === '' ? '(anonymous)' : callFrame.functionName
  return file === '' ? name : `${name} ${file}:${callFrame.lineNumber + 1}`
}

function svg(boxes: readonly Box[]): string {
  const height = (Math.max(0, ...boxes.map(({ depth }) => depth)) + 1) * ROW
  const drawn = boxes.map(({ x, width, depth, label, share }) => {
    const hue = 20 + (Buffer.from(label).reduce((sum, byte) => sum + byte, 0) % 40)
    const text = escape(label.slice(0, Math.floor(width / CHARACTER)))
    const y = depth * ROW
    return `<g><title>${escape(label)} ${(share * 100).toFixed(1)} %</title><rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="hsl(${hue} 80% 65%)"/><text x="${(x + 2).toFixed(1)}" y="${y + 11}" font-size="11" font-family="monospace">${text}</text></g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}">${drawn.join('')}</svg>\n`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
