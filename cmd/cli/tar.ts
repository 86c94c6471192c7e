/** Writes tar archives (POSIX ustar), for a few small files. */
const BLOCK_BYTES = 512
const NAME_BYTES = 100

interface TarFile {
  /** Up to 100 bytes; folders with a slash between. */
  readonly name: string
  readonly content: string
}

/** @param nowMs when all of them were changed; @returns the archive: its files may be read by their owner only */
export function tarOf(files: readonly TarFile[], nowMs: number): Buffer {
  const blocks = files.flatMap(({ name, content }) => {
    const bytes = Buffer.from(content)
    return [header(name, bytes.length, nowMs), bytes, padding(bytes.length)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)])
}

/** Fields by their place; numbers are octal texts. */
function header(name: string, sizeBytes: number, nowMs: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  if (Buffer.byteLength(name) > NAME_BYTES) throw new RangeError(`${name} is too long for tar`)
  block.write(name, 0)
  block.write(octal(0o600, 8), 100)
  block.write(octal(0, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(sizeBytes, 12), 124)
  block.write(octal(Math.floor(nowMs / 1000), 12), 136)
  block.write('        ', 148) // the sum counts itself as blanks
  block.write('0', 156)
  block.write('ustar\u000000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 7)}\0 `, 148)
  return block
}

/** @param width with the NUL at its end */
function octal(value: number, width: number): string {
  return value.toString(8).padStart(width - 1, '0')
}

function padding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES)
}
