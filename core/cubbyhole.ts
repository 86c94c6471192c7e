/** Where each token's private records lie: the cubbyhole engine reads them, revocation removes them. */
export function cubbyholePrefix(tokenId: string): string {
  return `cubbyhole/${tokenId}/`
}
