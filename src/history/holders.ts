/**
 * Finding the versions that took lseqs.
 * @module
 */
import { getOrMake } from '../base/map.js'
import type { EntryBatch } from '../lseq/batch.js'
import { formatLseq, type Lseq, readSeq, readStream } from '../lseq/lseq.js'
import type { VersionBrief } from './header.js'

/** A search in the version entries, which are handed over in key order. */
export class HolderSearch<V extends VersionBrief> {
  /** The versions found, by `stream-seq` of what they took. */
  readonly found = new Map<string, V>()
  /** No version whose last seq is below this can be among them. */
  readonly least: number
  readonly #decode: (value: Uint8Array, last: Lseq) => V
  /** Seqs by stream, those to come in descending order, so that the next one is popped off the end. */
  readonly #wanted = new Map<number, number[]>()

  /** @param decode - Makes a version of an entry's value and the lseq in its key. */
  constructor(lseqs: Iterable<Lseq>, decode: (value: Uint8Array, last: Lseq) => V) {
    this.#decode = decode
    let least = Number.POSITIVE_INFINITY
    for (const { seq, stream } of lseqs) {
      getOrMake(this.#wanted, stream, () => [] as number[]).push(seq)
      if (seq < least) least = seq
    }
    for (const list of this.#wanted.values()) list.sort((a, b) => b - a)
    this.least = least
  }

  /** Whether there is nothing left to look for. */
  get done(): boolean {
    return this.#wanted.size === 0
  }

  /** Takes the next version entries. */
  push({ count, keys, keyStarts, values, valueStarts, valueEnds }: EntryBatch): void {
    for (let i = 0; i < count && !this.done; i++) {
      const at = (keyStarts[i] as number) + 1
      const stream = readStream(keys, at)
      const list = this.#wanted.get(stream)
      if (list === undefined) continue
      const last = readSeq(keys, at)
      let version: V | undefined
      for (let seq = list.at(-1); seq !== undefined && seq <= last; seq = list.at(-1)) {
        list.pop()
        version ??= this.#decode(values.subarray(valueStarts[i], valueEnds[i]), { seq: last, stream })
        if (seq >= version.first) this.found.set(formatLseq(seq, stream), version)
      }
      if (list.length === 0) this.#wanted.delete(stream)
    }
  }
}
