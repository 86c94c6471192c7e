/** Where each token's private records lie: the cubbyhole engine reads them, revocation removes them. */
export function cubbyholePrefix(accessor: string): string {
  return `cubbyhole/${accessor}/`
}
