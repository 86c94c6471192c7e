/** Networks that an address must lie in, as CIDR or single addresses. */
import { BlockList, isIP } from 'node:net'

/** Puts a network into the list. @returns false: it is none */
export function addCidr(block: BlockList, text: string): boolean {
  const [address = '', bits, ...rest] = text.trim().split('/')
  const version = isIP(address)
  // A zone (`fe80::1%eth0`) names a link of one machine, which no network does.
  if (version === 0 || address.includes('%') || rest.length > 0) return false
  const most = version === 4 ? 32 : 128
  const prefix = bits === undefined ? most : Number(bits)
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return false
  if (prefix > most) return false
  block.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6')
  return true
}

export function isCidr(text: string): boolean {
  return addCidr(new BlockList(), text)
}

/** Whether the address lies in one of the networks; an unknown address lies in none. */
export function isWithin(address: string, cidrs: readonly string[]): boolean {
  const block = new BlockList()
  for (const cidr of cidrs) addCidr(block, cidr)
  return isListed(address, block)
}

/** hot: as `isWithin`. The list itself takes any text for an address, and looks at its beginning. */
export function isListed(address: string, block: BlockList): boolean {
  const version = isIP(address)
  return version !== 0 && block.check(address, version === 4 ? 'ipv4' : 'ipv6')
}

/** As it is shown: a network of one address without its `/32` or `/128`. */
export function showCidr(cidr: string): string {
  return cidr.replace(/^([\d.]+)\/32$|^([\da-f:]+)\/128$/i, '$1$2')
}
