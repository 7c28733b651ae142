/**
 * The graph: every version of a store in causal order, with its parents and its vector.
 *
 * For work that goes over the whole history (import, verify). It reads all version entries and keeps a few numbers of
 * each; versions are numbered from 1 in lseq order, which puts parents before children, and vectors count in these
 * numbers. For a question about one version, `versions.ts` reads less.
 * @module
 */
import { CodedError } from '../base/error.js'
import { lowerBound } from '../base/search.js'
import { formatLseq } from '../lseq/lseq.js'
import { Streams, Vector } from '../lseq/vector.js'
import type { VersionLinks } from './header.js'

/** A version in the graph. */
export interface GraphNode {
  readonly number: number
  readonly first: number
  readonly last: number
  readonly slot: number
  /** Numbers of the parents that are there. */
  readonly parents: readonly number[]
  /** Number of the version before in the stream, 0 for its first. */
  readonly prev: number
  readonly vector: Vector
}

/** A graph as plain values. */
export interface GraphColumns {
  /** Stream ids by slot. */
  readonly streams: readonly number[]
  /** Of each version: slot, first seq, last seq, number of the one before in the stream, numbers of the parents. */
  readonly nodes: readonly (readonly number[])[]
}

/** All versions of a store. */
export class Graph {
  readonly streams: Streams
  readonly #nodes: GraphNode[] = []
  /** By slot: last seqs of the stream's versions and their numbers, ascending. */
  readonly #lasts: number[][] = []
  readonly #numbers: number[][] = []

  constructor(streams: Streams = new Streams()) {
    this.streams = streams
  }

  get size(): number {
    return this.#nodes.length
  }

  /** Greatest seq of any version: where the clock stands. */
  get greatest(): number {
    return this.#nodes.at(-1)?.last ?? 0
  }

  /**
   * Adds a version; they come in lseq order.
   *
   * @throws {CodedError} `VERSION_MISSING` where a parent has not been added before it.
   */
  add(version: VersionLinks): GraphNode {
    const slot = this.streams.slot(version.stream)
    const parents = version.parents.map(({ seq, stream }) => {
      const parent = this.at(this.streams.slot(stream), seq)
      if (parent === undefined) {
        const wanting = formatLseq(version.last, version.stream)
        throw new CodedError(
          'VERSION_MISSING',
          `Version ${wanting} names a parent ${formatLseq(seq, stream)} that is not here.`,
        )
      }
      return parent
    })
    const prev = version.prev.seq === 0 ? 0 : (this.at(slot, version.prev.seq) ?? 0)
    return this.#push(slot, version.first, version.last, parents, prev)
  }

  #push(slot: number, first: number, last: number, parents: readonly number[], prev: number): GraphNode {
    const number = this.#nodes.length + 1
    let vector = Vector.empty
    for (const parent of parents) vector = vector.join(this.node(parent).vector)
    const node: GraphNode = { number, first, last, slot, parents, prev, vector: vector.with(slot, number) }
    this.#nodes.push(node)
    while (this.#lasts.length <= slot) {
      this.#lasts.push([])
      this.#numbers.push([])
    }
    this.#lasts[slot]?.push(last)
    this.#numbers[slot]?.push(number)
    return node
  }

  /** The graph as plain values, for another thread. */
  columns(): GraphColumns {
    return {
      streams: Array.from({ length: this.streams.size }, (_, slot) => this.streams.id(slot)),
      nodes: this.#nodes.map(({ slot, first, last, parents, prev }) => [slot, first, last, prev, ...parents]),
    }
  }

  static fromColumns({ streams, nodes }: GraphColumns): Graph {
    const graph = new Graph()
    for (const stream of streams) graph.streams.slot(stream)
    for (const [slot = 0, first = 0, last = 0, prev = 0, ...parents] of nodes)
      graph.#push(slot, first, last, parents, prev)
    return graph
  }

  /** @throws {RangeError} for a number that no version has. */
  node(number: number): GraphNode {
    const node = this.#nodes[number - 1]
    if (node === undefined) throw new RangeError(`version number: expected 1 to ${this.size}, got ${number}`)
    return node
  }

  /** Number of the last version of the stream at `slot`. */
  tip(slot: number): number | undefined {
    return this.#numbers[slot]?.at(-1)
  }

  /** Number of the first version of the stream at `slot` that took nothing up to `seq`. */
  after(slot: number, seq: number): number | undefined {
    return this.#numbers[slot]?.[lowerBound(this.#lasts[slot] ?? [], seq + 1)]
  }

  /** Numbers of the versions that `vector` covers and `other` does not; vectors that count in numbers. */
  *beyond(vector: Vector, other: Vector): Generator<number> {
    for (const [slot, tip] of vector.entries()) {
      const numbers = this.#numbers[slot] ?? []
      for (let i = lowerBound(numbers, other.seqAt(slot) + 1); (numbers[i] ?? tip + 1) <= tip; i++)
        yield numbers[i] as number
    }
  }

  /** Number of the version whose last seq is `seq` in the stream at `slot`. */
  at(slot: number, seq: number): number | undefined {
    const number = this.holding(slot, seq)
    return number !== undefined && this.node(number).last === seq ? number : undefined
  }

  /** Number of the version that took `seq` in the stream at `slot`. */
  holding(slot: number, seq: number): number | undefined {
    const number = this.#numbers[slot]?.[lowerBound(this.#lasts[slot] ?? [], seq)]
    return number !== undefined && this.node(number).first <= seq ? number : undefined
  }

  *[Symbol.iterator](): Generator<GraphNode> {
    yield* this.#nodes
  }
}
