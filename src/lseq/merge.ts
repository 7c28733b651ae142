/**
 * Entries of a page and loose entries, as one sequence.
 * @module
 */
import { compareBytes, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { type Entry, EntryBatch, type EntryRange } from './batch.js'
import { LSEQ_BYTES } from './lseq.js'
import { LOOSE, storeKey } from './pages.js'
import type { Pair, Store } from './store.js'

/** 1 for ascending keys, -1 for descending ones. */
export type Direction = 1 | -1

const BEHIND_LOOSE = Uint8Array.of(LOOSE + 1)
const NO_KEY = new Uint8Array(0)

/**
 * Puts `beside` where it belongs in `batch`, both in the order of `direction`, as parts of `batch` with batches in
 * between. An entry that is in both is told once.
 */
export function* mergeBatches(
  batch: EntryBatch,
  beside: readonly Entry[],
  direction: Direction,
): Generator<EntryBatch> {
  let from = 0
  let waiting: Entry[] = []
  for (const entry of beside) {
    const at = position(batch, entry.key, from, direction)
    if (at < batch.count && compareBytes(batch.key(at), entry.key) === 0) continue
    if (at > from) {
      if (waiting.length > 0) yield EntryBatch.from(waiting)
      waiting = []
      yield batch.slice(from, at)
      from = at
    }
    waiting.push(entry)
  }
  if (waiting.length > 0) yield EntryBatch.from(waiting)
  if (from < batch.count) yield batch.slice(from, batch.count)
}

/** The first index from `from` on whose key does not come before `key`. */
function position(batch: EntryBatch, key: Uint8Array, from: number, direction: Direction): number {
  let low = from
  let high = batch.count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareBytes(batch.key(middle), key) * direction < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Where the loose entries of a range lie in a store. */
export function looseRange({ gte = NO_KEY, lt }: EntryRange): { gte: Uint8Array; lt: Uint8Array } {
  return { gte: storeKey(LOOSE, gte), lt: lt === undefined ? BEHIND_LOOSE : storeKey(LOOSE, lt) }
}

/** A walk over the loose entries of a range, of the state in which it was started. */
export class LooseReader {
  readonly #batches: AsyncIterator<Pair[]>
  readonly #direction: Direction
  #batch: Pair[] = []
  #at = 0
  #done = false

  constructor(store: Store, range: EntryRange, direction: Direction) {
    this.#batches = store.scan({ ...looseRange(range), reverse: direction < 0 })[Symbol.asyncIterator]()
    this.#direction = direction
  }

  /** Fixes the state that is read. */
  async start(): Promise<void> {
    await this.#fill()
  }

  /** The next entries, up to `key` and including it. */
  async until(key: Uint8Array): Promise<Entry[]> {
    const found: Entry[] = []
    for (;;) {
      for (; this.#at < this.#batch.length; this.#at++) {
        const entry = looseEntry(this.#batch[this.#at] as Pair)
        if (compareBytes(entry.key, key) * this.#direction > 0) return found
        found.push(entry)
      }
      if (!(await this.#fill())) return found
    }
  }

  /** Some more of the rest; none when there are no more. */
  async rest(): Promise<Entry[]> {
    if (this.#at === this.#batch.length) await this.#fill()
    const found = this.#batch.slice(this.#at).map(looseEntry)
    this.#at = this.#batch.length
    return found
  }

  /** Lets go of what the walk holds, wherever it is. */
  async close(): Promise<void> {
    await this.#batches.return?.()
  }

  async #fill(): Promise<boolean> {
    if (this.#done) return false
    const { done, value } = await this.#batches.next()
    this.#done = done === true
    this.#batch = this.#done ? [] : value
    this.#at = 0
    return !this.#done
  }
}

/** The entry that a pair of the store is. */
export function looseEntry([key, value]: Pair): Entry {
  if (key.length < 1 + LSEQ_BYTES) {
    throw new CodedError('STORE_CORRUPT', `The store holds the key ${toHex(key)}, which is no entry's.`, {
      hint: 'Run weft verify to see what is affected.',
      data: { key: toHex(key) },
    })
  }
  return { key: key.subarray(1), value }
}
