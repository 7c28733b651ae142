/**
 * Looking for a needle in the values of many entries: in all of a page at once, at the speed of memory.
 * @module
 */
import type { EntryBatch } from '../lseq/batch.js'

const NEWLINE = 10

/**
 * Which entries of a batch have the needle in their values, asked in ascending order.
 *
 * A page keeps values that end in a newline apart from those that do not, each kind in order; so the needle is looked for
 * from two places, and each finds the next hit at or behind the value asked for.
 */
export class Hits {
  readonly #batch: EntryBatch
  readonly #values: Buffer
  readonly #needle: Buffer | undefined
  /** The next hit for values that end in a newline, and for others. */
  readonly #next = { text: -1, record: -1 }

  /** @param needle - Without a newline; undefined, where every entry counts as a hit. */
  constructor(batch: EntryBatch, needle: Buffer | undefined) {
    const { values } = batch
    this.#batch = batch
    this.#values = Buffer.from(values.buffer, values.byteOffset, values.length)
    this.#needle = needle
  }

  has(i: number): boolean {
    if (this.#needle === undefined) return true
    const start = this.#batch.valueStarts[i] as number
    const end = this.#batch.valueEnds[i] as number
    if (end - start < this.#needle.length) return false
    const kind = this.#values[end - 1] === NEWLINE ? 'text' : 'record'
    if (this.#next[kind] < start) {
      const hit = this.#values.indexOf(this.#needle, start)
      this.#next[kind] = hit < 0 ? Number.POSITIVE_INFINITY : hit
    }
    return this.#next[kind] + this.#needle.length <= end
  }

  /** Whether any of the entries `[from, to)` has it. */
  any(from: number, to: number): boolean {
    for (let i = from; i < to; i++) if (this.has(i)) return true
    return false
  }
}
