/** For tests: searches the memory of a running process of ours for bytes, as a core dump of it would be searched. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

const CHUNK = 4 * 1024 * 1024

/** How often each needle lies in the readable memory of the process. Linux only. */
export function countInMemory(pid: number, needles: readonly Buffer[]): number[] {
  const counts = needles.map(() => 0)
  const longest = Math.max(...needles.map((needle) => needle.length))
  const buffer = Buffer.alloc(CHUNK + longest)
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    for (const [from, to] of readableRegions(pid)) {
      for (let at = from; at < to; at += CHUNK) {
        // A needle across the border is in the overlap; one that begins in the overlap is counted with the next chunk.
        const chunk = readAt(memory, buffer, at, Math.min(CHUNK + longest - 1, to - at))
        needles.forEach((needle, i) => {
          counts[i] = (counts[i] ?? 0) + occurrences(chunk, needle)
        })
      }
    }
    return counts
  } finally {
    closeSync(memory)
  }
}

function readableRegions(pid: number): [number, number][] {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .flatMap((line): [number, number][] => {
      const match = /^([0-9a-f]+)-([0-9a-f]+) r\S+ (?!.*\[v)/.exec(line)
      return match === null ? [] : [[parseInt(match[1] ?? '', 16), parseInt(match[2] ?? '', 16)]]
    })
}

function readAt(memory: number, buffer: Buffer, at: number, length: number): Buffer {
  try {
    return buffer.subarray(0, readSync(memory, buffer, 0, length, at))
  } catch {
    // The region went away meanwhile, or is one of a device.
    return buffer.subarray(0, 0)
  }
}

function occurrences(chunk: Buffer, needle: Buffer): number {
  let count = 0
  for (let at = chunk.indexOf(needle); at !== -1 && at < CHUNK; at = chunk.indexOf(needle, at + 1))
    count += 1
  return count
}
