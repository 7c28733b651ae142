/**
 * The line entries of many files, in one pass over the store.
 *
 * Files are asked for in the order of their ids, which is the order of their lines in the store: a page that holds several
 * of them is looked at once, and one that holds none of them is mostly not read at all.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import { FILE_PREFIX_BYTES, linesPrefix, prefixRange } from '../history/keys.js'
import type { StateWalk } from '../lines/walk.js'
import type { Slice } from '../lines/walk-kernel.js'
import type { EntryBatch } from '../lseq/batch.js'
import type { Coverage } from '../lseq/coverage.js'
import type { EntryStore } from '../lseq/entries.js'
import type { Lseq } from '../lseq/lseq.js'

/** Reads the files one after the other. */
export class LineEntries implements AsyncDisposable {
  readonly #entries: EntryStore
  readonly #wanted: Coverage
  readonly #end: Uint8Array | undefined
  #scan: AsyncGenerator<EntryBatch> | undefined
  #batch: EntryBatch | undefined

  /**
   * @param last - The last file that will be asked for.
   * @param wanted - Entries that must be there; others may be left out.
   */
  constructor(entries: EntryStore, last: Lseq, wanted: Coverage) {
    this.#wanted = wanted
    this.#entries = entries
    this.#end = prefixRange(linesPrefix(last)).lt
  }

  /**
   * The line entries of a file, in order. Most files' lie in the batch at hand, and then there is nothing to wait for.
   *
   * @param file - Above the one that was asked for before.
   */
  read(file: Lseq): Slice[] | Promise<Slice[]> {
    const prefix = linesPrefix(file)
    const batch = this.#batch
    if (batch === undefined || endsBefore(batch, prefix)) return this.#seek(prefix)
    const slice = sliceOf(batch, prefix)
    return slice.to < batch.count ? [slice] : this.#readOn(prefix, [slice])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scan?.return(undefined)
  }

  /** Takes the next batch; undefined behind the last one. */
  async #take(): Promise<EntryBatch | undefined> {
    const next = await this.#scan?.next()
    this.#batch = next?.done === false ? next.value : undefined
    return this.#batch
  }

  /** Goes on to a file behind the batch at hand. If it is not in the next one either, what lies between is not read. */
  async #seek(prefix: Uint8Array): Promise<Slice[]> {
    if (this.#scan !== undefined) await this.#take()
    if (this.#batch === undefined || endsBefore(this.#batch, prefix)) {
      await this.#scan?.return(undefined)
      this.#scan = this.#entries.scan({ gte: prefix, lt: this.#end, wanted: this.#wanted })
      await this.#take()
    }
    if (this.#batch === undefined) return []
    const slice = sliceOf(this.#batch, prefix)
    return slice.to < this.#batch.count ? [slice] : this.#readOn(prefix, [slice])
  }

  async #readOn(prefix: Uint8Array, slices: Slice[]): Promise<Slice[]> {
    for (let batch = await this.#take(); batch !== undefined; batch = await this.#take()) {
      const slice = sliceOf(batch, prefix)
      slices.push(slice)
      if (slice.to < batch.count) break
    }
    return slices
  }
}

function endsBefore(batch: EntryBatch, key: Uint8Array): boolean {
  return compareBytes(batch.key(batch.count - 1), key) < 0
}

function sliceOf(batch: EntryBatch, prefix: Uint8Array): Slice {
  const { lt } = prefixRange(prefix)
  return { batch, from: batch.lowerBound(prefix), to: lt === undefined ? batch.count : batch.lowerBound(lt) }
}

/** Hands a file's entries to a walk. */
export function walkSlices(slices: readonly Slice[], walk: StateWalk): void {
  for (const { batch, from, to } of slices) walk.push(batch, from, to, FILE_PREFIX_BYTES)
}
