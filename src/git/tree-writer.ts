/**
 * Tree objects on their way into a pack: each as a delta to the one written last for the same directory.
 *
 * Both list their entries in one order, so what they have in common is found by walking them side by side. An entry whose
 * content changed shares its mode and name, which lie behind the entry before it: mostly one copy, one id, one copy.
 * @module
 */
import type { PackWriter } from './pack.js'
import type { TreeSink } from './rebuild.js'
import { isDirectory, parseTree, type TreeEntryText } from './tree-id.js'

const SUBMODULE = 0o160000
const TYPE_BITS = 0o170000

/** Writes trees. */
export class TreeWriter implements TreeSink {
  readonly #pack: PackWriter
  readonly #known: ReadonlySet<string>
  readonly #hashLength: number
  /** Odd trees of the commit under way. */
  readonly #odd: { readonly id: string; readonly bytes: Uint8Array }[] = []
  #isWhole = true
  /** By directory: the tree written last. */
  readonly #last = new Map<string, { readonly id: string; readonly entries: readonly TreeEntryText[] }>()

  /** @param known - Ids of objects that the target has: binary strings. */
  constructor(pack: PackWriter, known: ReadonlySet<string>, hashLength: number) {
    this.#pack = pack
    this.#known = known
    this.#hashLength = hashLength
  }

  tree(path: string, id: string, bytes: Uint8Array, entries: readonly TreeEntryText[]): void {
    if (this.#has(id)) return
    const last = this.#last.get(path)
    this.#pack.add('tree', id, bytes, last && { id: last.id, copies: commonParts(last.entries, entries) })
    this.#last.set(path, { id, entries })
  }

  oddTree(id: string, bytes: Uint8Array): void {
    this.#odd.push({ id, bytes })
    for (const { mode, id: child } of parseTree(bytes, this.#hashLength) ?? []) {
      const bits = Number.parseInt(mode, 8)
      // A tree with two entries of one name holds a content that no path stands for.
      if (!isDirectory(bits) && (bits & TYPE_BITS) !== SUBMODULE && !this.#has(child)) this.#isWhole = false
    }
  }

  /**
   * Ends a commit: its odd trees are written, unless something that they need is missing.
   *
   * @returns Whether all that the commit needs is there.
   */
  endCommit(): boolean {
    const isWhole = this.#isWhole
    if (isWhole) for (const { id, bytes } of this.#odd) if (!this.#has(id)) this.#pack.add('tree', id, bytes)
    this.#odd.length = 0
    this.#isWhole = true
    return isWhole
  }

  #has(id: string): boolean {
    return this.#known.has(id) || this.#pack.has(id)
  }
}

/** What a tree has from another one, as triples of where there, where here, how many bytes. */
export function commonParts(from: readonly TreeEntryText[], to: readonly TreeEntryText[]): number[] {
  const copies: number[] = []
  let there = 0
  let here = 0
  let i = 0
  for (const { sort, text } of to) {
    for (; i < from.length && (from[i] as TreeEntryText).sort < sort; i++)
      there += (from[i] as TreeEntryText).text.length
    const other = from[i]
    if (other?.sort === sort) {
      push(copies, there, here, commonLength(other.text, text))
      there += other.text.length
      i++
    }
    here += text.length
  }
  return copies
}

function commonLength(a: string, b: string): number {
  if (a === b) return a.length
  const limit = Math.min(a.length, b.length)
  let length = 0
  while (length < limit && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}

function push(copies: number[], from: number, to: number, length: number): void {
  const last = copies.length - 3
  const size = copies[last + 2] as number
  if (last >= 0 && (copies[last] as number) + size === from && (copies[last + 1] as number) + size === to) {
    copies[last + 2] = size + length
  } else if (length > 0) copies.push(from, to, length)
}
