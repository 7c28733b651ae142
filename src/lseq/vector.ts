/**
 * Version vectors: how much of every stream a state covers.
 *
 * A vector maps stream -> greatest seq covered; an entry counts in a state if and only if its lseq is covered. Joining
 * two vectors takes the maximum per stream, which is what a merge does.
 *
 * Vectors are immutable and share structure. A history has one vector per version, and neighbours differ in one or
 * two streams, so a vector is a table of blocks of 16 seqs in which all untouched blocks are shared: for git's own
 * history (82,000 versions, 383 streams) that is 40 MB instead of 400. Streams are numbered densely per process
 * (`Streams`), so that a look-up is two array reads.
 *
 *     blocks   [ * ][ * ][ * ]            slot = block * 16 + place
 *                |    |    \__ shared with the parent's vector
 *                |    \_______ copied: one seq changed
 *                \____________ shared
 * @module
 */
import { formatStream, SEQ_LIMIT } from './lseq.js'

const SHIFT = 4
const BLOCK = 1 << SHIFT
const MASK = BLOCK - 1

/** Dense numbers (slots) for the stream ids met in this process, in order of first sight. */
export class Streams {
  readonly #slots = new Map<number, number>()
  readonly #ids: number[] = []

  get size(): number {
    return this.#ids.length
  }

  /** The slot of a stream, given out on first sight. */
  slot(stream: number): number {
    let slot = this.#slots.get(stream)
    if (slot === undefined) {
      slot = this.#ids.length
      this.#slots.set(stream, slot)
      this.#ids.push(stream)
    }
    return slot
  }

  /** The slot of a stream, undefined where it was never met. */
  find(stream: number): number | undefined {
    return this.#slots.get(stream)
  }

  /** The stream at a slot. */
  id(slot: number): number {
    const id = this.#ids[slot]
    if (id === undefined) throw new RangeError(`slot: expected below ${this.#ids.length}, got ${slot}`)
    return id
  }
}

/** An immutable version vector over the slots of one `Streams`. */
export class Vector {
  static readonly empty: Vector = new Vector([])

  readonly #blocks: readonly (Float64Array | undefined)[]

  private constructor(blocks: readonly (Float64Array | undefined)[]) {
    this.#blocks = blocks
  }

  /** The greatest seq covered of the stream at `slot`; 0 for none. */
  seqAt(slot: number): number {
    const block = this.#blocks[slot >> SHIFT]
    return block === undefined ? 0 : (block[slot & MASK] as number)
  }

  /** Whether the entry `seq` of the stream at `slot` counts in this state. */
  covers(slot: number, seq: number): boolean {
    const block = this.#blocks[slot >> SHIFT]
    return block !== undefined && (block[slot & MASK] as number) >= seq
  }

  /** This vector with the stream at `slot` covered up to `seq`, at the least. */
  with(slot: number, seq: number): Vector {
    if (this.seqAt(slot) >= seq) return this
    const blocks = this.#blocks.slice()
    const at = slot >> SHIFT
    const block = Float64Array.from(blocks[at] ?? new Float64Array(BLOCK))
    block[slot & MASK] = seq
    while (blocks.length < at) blocks.push(undefined)
    blocks[at] = block
    return new Vector(blocks)
  }

  /** The least vector that covers both: maximum per stream. Returns one of the two where it covers the other. */
  join(other: Vector): Vector {
    if (this === other) return this
    const length = Math.max(this.#blocks.length, other.#blocks.length)
    const blocks: (Float64Array | undefined)[] = new Array(length)
    let mineCover = true
    let theirsCover = true
    for (let i = 0; i < length; i++) {
      const mine = this.#blocks[i]
      const theirs = other.#blocks[i]
      const excess = excessOf(mine, theirs)
      if (excess !== 'none' && excess !== 'mine') mineCover = false
      if (excess !== 'none' && excess !== 'theirs') theirsCover = false
      blocks[i] =
        excess === 'both' ? maxima(mine as Float64Array, theirs as Float64Array) : excess === 'theirs' ? theirs : mine
    }
    return mineCover ? this : theirsCover ? other : new Vector(blocks)
  }

  /** Whether this state covers all that `other` covers. */
  includes(other: Vector): boolean {
    return this.join(other) === this
  }

  /** The covered streams as `[slot, seq]`, in slot order. */
  *entries(): Generator<readonly [slot: number, seq: number]> {
    for (let i = 0; i < this.#blocks.length; i++) {
      const block = this.#blocks[i]
      if (block === undefined) continue
      for (let j = 0; j < BLOCK; j++) {
        const seq = block[j] as number
        if (seq > 0) yield [(i << SHIFT) | j, seq]
      }
    }
  }
}

/** Which of two blocks has a seq that the other does not reach. */
function excessOf(a: Float64Array | undefined, b: Float64Array | undefined): 'none' | 'mine' | 'theirs' | 'both' {
  if (a === b) return 'none'
  if (b === undefined) return 'mine'
  if (a === undefined) return 'theirs'
  let mine = false
  let theirs = false
  for (let j = 0; j < BLOCK; j++) {
    const x = a[j] as number
    const y = b[j] as number
    if (x > y) mine = true
    else if (y > x) theirs = true
  }
  return mine ? (theirs ? 'both' : 'mine') : theirs ? 'theirs' : 'none'
}

function maxima(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((x, j) => Math.max(x, b[j] as number))
}

/** A vector as text, `stream:seq,stream:seq`: stream in six hex digits, seq decimal, sorted by stream. */
export function formatVector(vector: Vector, streams: Streams): string {
  return [...vector.entries()]
    .map(([slot, seq]) => `${formatStream(streams.id(slot))}:${seq}`)
    .sort()
    .join(',')
}

/** The pairs of a vector's text, in any order; undefined where the text is not one. */
export function parseVector(text: string): { stream: number; seq: number }[] | undefined {
  const pairs: { stream: number; seq: number }[] = []
  for (const part of text.split(',')) {
    const match = /^([0-9a-f]{6}):([1-9][0-9]{0,12})$/.exec(part)
    if (match === null) return undefined
    const seq = Number(match[2])
    if (seq >= SEQ_LIMIT) return undefined
    pairs.push({ stream: Number.parseInt(match[1] as string, 16), seq })
  }
  return pairs
}
