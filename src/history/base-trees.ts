/**
 * The trees of several stored states, in one pass over all path entries.
 *
 * States that somebody goes on from are mostly alike. So one tree is built, and the others are that one changed where they
 * differ, sharing all else.
 * @module
 */
import { toLatin1 } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import { Coverage } from '../lseq/coverage.js'
import type { EntryStore } from '../lseq/entries.js'
import { LSEQ_BYTES, readSeq, readStream } from '../lseq/lseq.js'
import { type Streams, Vector } from '../lseq/vector.js'
import type { TouchOrder } from './joined-sides.js'
import { kindRange } from './keys.js'
import { fileIdOffset } from './path-entry.js'
import { type Leaf, setPath, type Tree, TreeBuilder } from './tree.js'

/** A leaf that knows its entry. */
export interface EntryLeaf extends Leaf {
  readonly slot: number
  readonly seq: number
}

/** A touch of a file: where it was put at a path. */
export interface FileTouch {
  readonly slot: number
  readonly seq: number
}

/** What is known of the states. */
export interface BaseTrees {
  /** Deletions included. One for each vector. */
  readonly trees: readonly Tree<EntryLeaf>[]
  /** By file, of those that were asked for: where it is in any of the states. */
  readonly places: Map<string, Set<string>>
  /** By file: the touches that some of the states cover, and not all. */
  readonly touches: Map<string, FileTouch[]>
}

/** Bytes behind the path in a path entry's key: NUL and lseq. */
const TAIL = 1 + LSEQ_BYTES
const DELETED = 'x'.charCodeAt(0)

/** File id in the path entry at `offset`, as a binary string of 8 bytes. */
export function fileOf(bytes: Uint8Array, offset: number): string {
  const at = fileIdOffset(bytes, offset)
  return at < 0 ? '' : toLatin1(bytes, at, at + LSEQ_BYTES)
}

/**
 * Reads the trees at `vectors`.
 *
 * @param files - Those of which the places are to be noted.
 * @param everyTouch - Note the touches that all of the states cover, too: for who compares them with a state that is empty.
 */
export async function readBaseTrees(
  entries: Pick<EntryStore, 'scan'>,
  streams: Streams,
  vectors: readonly Vector[],
  files: ReadonlySet<string>,
  everyTouch: boolean,
): Promise<BaseTrees> {
  const bases = new Bases(vectors.length, files, everyTouch)
  if (vectors.length === 0) return bases.finish()
  let before: { readonly keys: Uint8Array; readonly start: number; readonly end: number } | undefined
  const all = vectors.reduce((joined, vector) => joined.join(vector), Vector.empty)
  // Of one state only the last entry of each path matters.
  const wanted = new Coverage(all, streams, vectors.length === 1 && !everyTouch)
  for await (const batch of entries.scan({ ...kindRange('P'), wanted })) {
    const { count, keys, keyStarts, keyEnds, values, valueStarts, valueEnds } = batch
    for (let i = 0; i < count; i++) {
      const start = (keyStarts[i] as number) + 1
      const end = (keyEnds[i] as number) - TAIL
      const slot = streams.find(readStream(keys, end + 1))
      if (slot === undefined) continue
      const seq = readSeq(keys, end + 1)
      let covered = 0
      for (let v = 0; v < vectors.length; v++) {
        if ((vectors[v] as Vector).covers(slot, seq)) covered = bases.cover(v)
      }
      if (covered === 0) continue
      if (before === undefined || !sameBytes(before, keys, start, end)) {
        bases.begin(toLatin1(keys, start, end))
        before = { keys, start, end }
      }
      bases.take(values, valueStarts[i] as number, valueEnds[i] as number, slot, seq)
    }
  }
  return bases.finish()
}

function sameBytes(
  { keys, start, end }: { readonly keys: Uint8Array; readonly start: number; readonly end: number },
  other: Uint8Array,
  from: number,
  to: number,
): boolean {
  if (end - start !== to - from) return false
  for (let i = 0; i < end - start; i++) if (keys[start + i] !== other[from + i]) return false
  return true
}

/** An entry of the path that is being read. */
interface Found {
  readonly values: Uint8Array
  readonly start: number
  readonly end: number
  readonly slot: number
  readonly seq: number
}

/** Collects paths in byte order. */
class Bases {
  readonly #count: number
  readonly #wanted: ReadonlySet<string>
  readonly #everyTouch: boolean
  readonly #builder = new TreeBuilder<EntryLeaf>()
  /** By state but the first: paths at which it has something else than the first. */
  readonly #others: [path: string, leaf: EntryLeaf][][]
  readonly #places = new Map<string, Set<string>>()
  readonly #touches = new Map<string, FileTouch[]>()
  /** States that cover the entry at hand. */
  #covering: number[] = []
  #path: string | undefined
  /** By state: the last entry of the path that it covers. */
  #last: (Found | undefined)[]

  constructor(count: number, wanted: ReadonlySet<string>, everyTouch: boolean) {
    this.#count = count
    this.#wanted = wanted
    this.#everyTouch = everyTouch
    this.#others = Array.from({ length: count }, () => [])
    this.#last = new Array(count)
  }

  /** Says that a state covers the next entry; answers how many do so far. */
  cover(state: number): number {
    return this.#covering.push(state)
  }

  /** Begins a path. */
  begin(path: string): void {
    const covering = this.#covering
    this.#flush()
    this.#covering = covering
    this.#path = path
    this.#last = new Array(this.#count)
  }

  /** Takes the next entry of the path. */
  take(values: Uint8Array, start: number, end: number, slot: number, seq: number): void {
    const found = { values, start, end, slot, seq }
    for (const state of this.#covering) this.#last[state] = found
    const isPartly = this.#covering.length < this.#count
    if ((isPartly || this.#everyTouch) && values[start] !== DELETED) {
      getOrMake(this.#touches, fileOf(values, start), () => [] as FileTouch[]).push({ slot, seq })
    }
    this.#covering = []
  }

  #flush(): void {
    const path = this.#path
    if (path === undefined) return
    const leaves = new Map<Found, EntryLeaf>()
    const leafOf = (found: Found): EntryLeaf => getOrMake(leaves, found, () => this.#leaf(path, found))
    const [first, ...others] = this.#last
    if (first !== undefined) this.#builder.add(path, leafOf(first))
    others.forEach((found, i) => {
      if (found === first) return
      this.#others[i + 1]?.push([path, found === undefined ? NEVER : leafOf(found)])
    })
  }

  #leaf(path: string, { values, start, end, slot, seq }: Found): EntryLeaf {
    if (values[start] === DELETED) return { touch: 0, value: undefined, slot, seq }
    const file = fileOf(values, start)
    if (this.#wanted.has(file)) getOrMake(this.#places, file, () => new Set<string>()).add(path)
    return { touch: 0, value: toLatin1(values, start, end), slot, seq }
  }

  finish(): BaseTrees {
    this.#flush()
    const tree = this.#builder.finish()
    const trees = this.#others.map((changes) =>
      changes.reduce((changed, [path, leaf]) => setPath(changed, path, leaf), tree),
    )
    return { trees, places: this.#places, touches: this.#touches }
  }
}

/** Stands where another state has a path that this one never had. Every vector covers it. */
const NEVER: EntryLeaf = { touch: 0, value: undefined, slot: -1, seq: 0 }

/** Whether a vector covers the touch of a leaf. */
export function coversLeaf(vector: Vector, { slot, seq }: FileTouch): boolean {
  return seq === 0 || vector.covers(slot, seq)
}

/** How touches are told apart by their entries. */
export function entryOrder(streams: Streams): TouchOrder<EntryLeaf> {
  return {
    covers: coversLeaf,
    isLater: (leaf, other) =>
      leaf.seq > other.seq || (leaf.seq === other.seq && streams.id(leaf.slot) > streams.id(other.slot)),
  }
}
