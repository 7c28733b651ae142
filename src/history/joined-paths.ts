/**
 * The paths of several states at once, and where joining them does not give the answer by itself.
 *
 * Where states are joined the last touch of a path wins. A version that joins them has to write a path itself where both
 * sides touched it, or the file at it under whatever name, without knowing of each other: so that at every version the
 * last touch of a path covers all others.
 * @module
 */
import { toLatin1 } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, LSEQ_BYTES, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import type { Streams, Vector } from '../lseq/vector.js'
import { kindRange } from './keys.js'
import { decodePathEntry, type PathPut } from './path-entry.js'
import { type Leaf, type Tree, TreeBuilder } from './tree.js'

/** A path at which the states differ. */
export interface JoinedPath {
  readonly path: string
  /** What the first state has there. */
  readonly first: PathPut | undefined
  /** What the join has there. */
  readonly joined: PathPut | undefined
  /** The file of the last touch, also where that deleted it. */
  readonly file: Lseq
  /** Whether two sides touched the path, or a file at it, without knowing of each other. */
  readonly contested: boolean
}

/** States, joined. */
export interface JoinedPaths {
  readonly tree: Tree<Leaf>
  /** In byte order. */
  readonly differing: readonly JoinedPath[]
}

interface Touch {
  readonly lseq: Lseq
  readonly value: Uint8Array
  /** Bit i: state i covers it. */
  readonly covered: number
}

/** Joins the paths of up to 31 states in one pass over all path entries. */
export async function joinPaths(
  entries: EntryStore,
  streams: Streams,
  vectors: readonly Vector[],
): Promise<JoinedPaths> {
  const all = 2 ** vectors.length - 1
  const joiner = new Joiner(vectors.length, all)
  let path: string | undefined
  let touches: Touch[] = []
  for await (const batch of entries.scan(kindRange('P'))) {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      const lseq = lseqOfKey(key)
      const slot = streams.find(lseq.stream)
      let covered = 0
      if (slot !== undefined) {
        for (let v = 0; v < vectors.length; v++) if (vectors[v]?.covers(slot, lseq.seq)) covered |= 1 << v
      }
      if (covered === 0) continue
      const next = toLatin1(key, 1, key.length - LSEQ_BYTES - 1)
      if (next !== path) {
        if (path !== undefined) joiner.push(path, touches)
        path = next
        touches = []
      }
      touches.push({ lseq, value: batch.value(i), covered })
    }
  }
  if (path !== undefined) joiner.push(path, touches)
  return joiner.finish()
}

/** Collects paths in byte order. */
class Joiner {
  readonly #tree = new TreeBuilder<Leaf>()
  readonly #differing: JoinedPath[] = []
  /** By file: which states cover its touches, where not all do. */
  readonly #sides = new Map<string, Set<number>>()
  readonly #count: number
  readonly #all: number

  constructor(count: number, all: number) {
    this.#count = count
    this.#all = all
  }

  push(path: string, touches: readonly Touch[]): void {
    const last = touches.at(-1) as Touch
    const entry = decodePathEntry(last.value)
    if ('file' in entry) this.#tree.add(path, { touch: 0, value: toLatin1(last.value) })
    const partly = touches.filter(({ covered }) => covered !== this.#all)
    if (partly.length === 0) return
    for (const { value, covered } of partly) {
      const touched = decodePathEntry(value)
      const file = 'file' in touched ? touched.file : touched.deleted
      getOrMake(this.#sides, formatLseq(file.seq, file.stream), () => new Set<number>()).add(covered)
    }
    const heads = Array.from({ length: this.#count }, (_, v) =>
      touches.findLast(({ covered }) => (covered & (1 << v)) !== 0),
    )
    const first = heads[0] && decodePathEntry(heads[0].value)
    this.#differing.push({
      path,
      first: first !== undefined && 'file' in first ? first : undefined,
      joined: 'file' in entry ? entry : undefined,
      file: 'file' in entry ? entry.file : entry.deleted,
      contested: areApart(partly.map(({ covered }) => covered)),
    })
  }

  finish(): JoinedPaths {
    const apart = new Set([...this.#sides].filter(([, masks]) => areApart([...masks])).map(([file]) => file))
    const isApart = (file: Lseq | undefined) => file !== undefined && apart.has(formatLseq(file.seq, file.stream))
    const differing = this.#differing.map((one) => ({
      ...one,
      contested: one.contested || isApart(one.file) || isApart(one.first?.file),
    }))
    return { tree: this.#tree.finish(), differing }
  }
}

/** Whether two of the masks each have a bit that the other lacks. */
function areApart(masks: readonly number[]): boolean {
  return masks.some((a, i) => masks.some((b, j) => j > i && (a & ~b) !== 0 && (b & ~a) !== 0))
}
