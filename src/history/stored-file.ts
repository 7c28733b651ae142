/**
 * The lines of one stored file, ready to take its next state.
 *
 * The weaver counts in numbers of versions; here every lseq met in the file's entries is a number of its own, which is all
 * that is needed to ask which of them a vector covers.
 * @module
 */

import { WeaveBuilder } from '../lines/weave.js'
import { type FileState, Weaver, type Woven } from '../lines/weaver.js'
import type { EntryStore } from '../lseq/entries.js'
import type { Lseq } from '../lseq/lseq.js'
import type { Streams, Vector } from '../lseq/vector.js'
import { linesPrefix, prefixRange } from './keys.js'

/** Number of the version that is being made: greater than any other. */
const NEXT = Number.MAX_SAFE_INTEGER

/** A file's weave. */
export class StoredFile {
  readonly #weaver = new Weaver()
  readonly #slots: number[] = []
  readonly #seqs: number[] = []

  /** Reads what is stored of a file; for a new file `undefined`, and nothing is read. */
  static async load(entries: EntryStore, streams: Streams, file: Lseq | undefined): Promise<StoredFile> {
    const stored = new StoredFile()
    if (file === undefined) return stored
    const prefix = linesPrefix(file)
    const builder = new WeaveBuilder(streams)
    for await (const batch of entries.scan(prefixRange(prefix))) {
      for (let i = 0; i < batch.count; i++) builder.push(batch.key(i).subarray(prefix.length), batch.value(i))
    }
    stored.#weaver.load(
      builder.finish(),
      (slot, seq) => {
        stored.#slots.push(slot)
        return stored.#seqs.push(seq) - 1
      },
      (slot) => streams.id(slot),
    )
    return stored
  }

  /** The lines at a vector. */
  stateAt(vector: Vector): FileState {
    return this.#weaver.stateAt((number) => vector.covers(this.#slots[number] as number, this.#seqs[number] as number))
  }

  /**
   * Adds the state `bytes`, grown out of the state at `vector`.
   *
   * @param sources - Vectors of the states that are joined, where there are several: lines may have come from any of them.
   */
  weave(vector: Vector, bytes: Uint8Array, sources: readonly Vector[]): Woven {
    const states = sources.map((source) => this.stateAt(source))
    return this.#weaver.weave(this.stateAt(vector), bytes, NEXT, states)
  }
}
