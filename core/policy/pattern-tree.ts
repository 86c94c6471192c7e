/**
 * hot: finds, of all patterns with wildcards, the one to apply to a path, without looking at each and without making
 * an object. A radix tree over the patterns' literal texts, with one branch for "any segment".
 */
import { ANY_SEGMENT, type Pattern } from './pattern.ts'

export interface Ranked {
  /** The higher, the closer the pattern. */
  readonly rank: number
}

class Node<T extends Ranked> {
  /** Literal text on the way into this node. */
  label: string
  /** By the first code unit of their labels. */
  readonly next = new Map<number, Node<T>>()
  anySegment: Node<T> | undefined = undefined
  /** Of the pattern that ends here with `*`. */
  open: T | undefined = undefined
  /** Of the pattern that ends here. */
  closed: T | undefined = undefined

  constructor(label: string) {
    this.label = label
  }
}

export class PatternTree<T extends Ranked> {
  readonly #root = new Node<T>('')

  add(pattern: Pattern, value: T): void {
    let node = this.#root
    for (const part of pattern.parts) {
      node = part === ANY_SEGMENT ? (node.anySegment ??= new Node<T>('')) : descend(node, part)
    }
    if (pattern.open) node.open = value
    else node.closed = value
  }

  /** The value of highest rank whose pattern matches. Visits a node once at most. */
  find(path: string): T | undefined {
    return search(this.#root, path, 0, undefined)
  }
}

function search<T extends Ranked>(
  node: Node<T>,
  path: string,
  at: number,
  best: T | undefined,
): T | undefined {
  let found = best
  if (node.open !== undefined && outranks(node.open, found)) found = node.open
  if (at === path.length) {
    if (node.closed !== undefined && outranks(node.closed, found)) found = node.closed
  } else {
    const child = node.next.get(path.charCodeAt(at))
    if (child !== undefined && path.startsWith(child.label, at)) {
      found = search(child, path, at + child.label.length, found)
    }
  }
  if (node.anySegment !== undefined) {
    const slash = path.indexOf('/', at)
    found = search(node.anySegment, path, slash < 0 ? path.length : slash, found)
  }
  return found
}

function outranks(one: Ranked, other: Ranked | undefined): boolean {
  return other === undefined || one.rank > other.rank
}

/** The node that `text` leads to from `node`; made, and nodes on the way split, where need be. */
function descend<T extends Ranked>(node: Node<T>, text: string): Node<T> {
  let from = node
  let rest = text
  while (rest !== '') {
    const child = from.next.get(rest.charCodeAt(0))
    if (child === undefined) {
      const leaf = new Node<T>(rest)
      from.next.set(rest.charCodeAt(0), leaf)
      return leaf
    }
    const common = commonLength(child.label, rest)
    from = common === child.label.length ? child : split(from, child, common)
    rest = rest.slice(common)
  }
  return from
}

/** Puts a node before `child` that takes the first `length` characters of its label. */
function split<T extends Ranked>(parent: Node<T>, child: Node<T>, length: number): Node<T> {
  const middle = new Node<T>(child.label.slice(0, length))
  child.label = child.label.slice(length)
  middle.next.set(child.label.charCodeAt(0), child)
  parent.next.set(middle.label.charCodeAt(0), middle)
  return middle
}

function commonLength(a: string, b: string): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}
