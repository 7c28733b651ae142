/**
 * Finding the versions that took lseqs.
 * @module
 */
import { getOrMake } from '../base/map.js'
import type { EntryBatch } from '../lseq/batch.js'
import { type Lseq, readSeq, readStream } from '../lseq/lseq.js'
import type { VersionBrief } from './header.js'

/** Versions by the blocks of seqs that they took. */
export class Holders<V extends VersionBrief> {
  /** Of each stream, ascending. */
  readonly #byStream = new Map<number, V[]>()

  /** @param version - Behind those of its stream that were added before. */
  add(version: V): void {
    getOrMake(this.#byStream, version.stream, () => [] as V[]).push(version)
  }

  /** The version that took an lseq. */
  get({ seq, stream }: Lseq): V | undefined {
    const versions = this.#byStream.get(stream)
    if (versions === undefined) return undefined
    let low = 0
    let high = versions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((versions[middle] as V).last < seq) low = middle + 1
      else high = middle
    }
    const found = versions[low]
    return found !== undefined && found.first <= seq ? found : undefined
  }

  *[Symbol.iterator](): Iterator<V> {
    for (const versions of this.#byStream.values()) yield* versions
  }
}

/** The seqs of one stream that are looked for, ascending, and the first that is yet to come. */
interface Wanted {
  readonly seqs: Float64Array
  next: number
}

/** A search in the version entries, which are handed over in key order. */
export class HolderSearch<V extends VersionBrief> {
  readonly found = new Holders<V>()
  /** No version whose last seq is below this can be among them. */
  readonly least: number
  readonly #decode: (value: Uint8Array, last: Lseq) => V
  /** By stream. */
  readonly #wanted = new Map<number, Wanted>()

  /** @param decode - Makes a version of an entry's value and the lseq in its key. */
  constructor(lseqs: Iterable<Lseq>, decode: (value: Uint8Array, last: Lseq) => V) {
    this.#decode = decode
    const byStream = new Map<number, number[]>()
    let least = Number.POSITIVE_INFINITY
    for (const { seq, stream } of lseqs) {
      getOrMake(byStream, stream, () => [] as number[]).push(seq)
      if (seq < least) least = seq
    }
    // A typed array is sorted without a call for each comparison.
    for (const [stream, seqs] of byStream) this.#wanted.set(stream, { seqs: Float64Array.from(seqs).sort(), next: 0 })
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
      const wanted = this.#wanted.get(stream)
      if (wanted === undefined) continue
      const last = readSeq(keys, at)
      const { seqs } = wanted
      if ((seqs[wanted.next] as number) > last) continue
      const version = this.#decode(values.subarray(valueStarts[i], valueEnds[i]), { seq: last, stream })
      let holds = false
      for (; (seqs[wanted.next] as number) <= last; wanted.next++) {
        if ((seqs[wanted.next] as number) >= version.first) holds = true
      }
      if (holds) this.found.add(version)
      if (wanted.next === seqs.length) this.#wanted.delete(stream)
    }
  }
}
