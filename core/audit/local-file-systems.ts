/** Which file systems are on a disk of this machine, as Linux numbers them (statfs(2), `linux/magic.h`). */
import { statfsSync } from 'node:fs'

const LOCAL: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x2fc12fc1, // zfs
  0xf2f52010, // f2fs
  0x01021994, // tmpfs
  0x794c7630, // overlayfs
  0x1a, // APFS, of macOS
])

/** Whether it may be of another machine, or of another program: those hang when these do. What is not there is not. */
export function mayHang(path: string): boolean {
  try {
    return !LOCAL.has(statfsSync(path).type)
  } catch {
    return false
  }
}
