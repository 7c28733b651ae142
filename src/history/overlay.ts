/**
 * Entries of a store with others laid over them, which are not written yet.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import { type Entry, EntryBatch } from '../lseq/batch.js'
import type { EntryScan, EntryStore } from '../lseq/entries.js'
import { mergeBatches } from '../lseq/merge.js'

/** What can be gone through like an `EntryStore`. */
export type EntrySource = Pick<EntryStore, 'scan'>

const NO_KEY = new Uint8Array(0)

/** Both, as one sequence. */
export class Overlay implements EntrySource {
  readonly #under: EntrySource
  /** In key order. */
  readonly #over: readonly Entry[]

  /** @param over - In any order; no key is there twice. */
  constructor(under: EntrySource, over: readonly Entry[]) {
    this.#under = under
    this.#over = [...over].sort((a, b) => compareBytes(a.key, b.key))
  }

  /** As `EntryStore.scan`. */
  async *scan(options: EntryScan = {}): AsyncGenerator<EntryBatch, void, undefined> {
    const { gte = NO_KEY, lt, reverse } = options
    const over = this.#over.slice(this.#at(gte), lt === undefined ? undefined : this.#at(lt))
    if (reverse === true) over.reverse()
    const direction = reverse === true ? -1 : 1
    let next = 0
    for await (const batch of this.#under.scan(options)) {
      const last = batch.key(batch.count - 1)
      const from = next
      while (next < over.length && compareBytes((over[next] as Entry).key, last) * direction <= 0) next++
      yield* mergeBatches(batch, over.slice(from, next), direction)
    }
    if (next < over.length) yield EntryBatch.from(over.slice(next))
  }

  /** Index of the first entry that is not below `key`. */
  #at(key: Uint8Array): number {
    let low = 0
    let high = this.#over.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareBytes((this.#over[middle] as Entry).key, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
