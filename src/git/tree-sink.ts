/**
 * Tree objects on their way into a pack: each as a delta to the one written last for the same directory.
 *
 * Both list their entries in one order, so what they have in common is found by walking them side by side. An entry whose
 * content changed shares its mode and name, which lie behind the entry before it: mostly one copy, one id, one copy.
 * @module
 */
import type { PackWriter } from './pack.js'
import type { ObjectSink } from './rebuild.js'
import type { TreeEntryText } from './tree-id.js'

/** Writes trees. */
export class TreeSink implements ObjectSink {
  readonly #pack: PackWriter
  readonly #known: ReadonlySet<string>
  /** By directory: the tree written last. */
  readonly #last = new Map<string, { readonly id: string; readonly entries: readonly TreeEntryText[] }>()

  /** @param known - Ids of objects that the target has: binary strings. */
  constructor(pack: PackWriter, known: ReadonlySet<string>) {
    this.#pack = pack
    this.#known = known
  }

  tree(path: string, id: string, bytes: Uint8Array, entries: readonly TreeEntryText[] | undefined): void {
    if (this.#known.has(id) || this.#pack.has(id)) return
    const last = this.#last.get(path)
    const base = entries && last && { id: last.id, copies: commonParts(last.entries, entries) }
    this.#pack.add('tree', id, bytes, base)
    if (entries !== undefined) this.#last.set(path, { id, entries })
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
