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
import type { EntryBatch } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import type { Lseq } from '../lseq/lseq.js'

/** Consecutive entries of one file. */
export interface Slice {
  readonly batch: EntryBatch
  readonly from: number
  readonly to: number
}

/** Reads the files one after the other. */
export class LineEntries implements AsyncDisposable {
  readonly #entries: EntryStore
  readonly #end: Uint8Array | undefined
  #scan: AsyncGenerator<EntryBatch> | undefined
  #batch: EntryBatch | undefined

  /** @param last - The last file that will be asked for. */
  constructor(entries: EntryStore, last: Lseq) {
    this.#entries = entries
    this.#end = prefixRange(linesPrefix(last)).lt
  }

  /**
   * All line entries of a file, in order. Most files' lie in the batch at hand, and then there is nothing to wait for.
   *
   * @param file - Above the one that was asked for before.
   */
  read(file: Lseq): Slice[] | Promise<Slice[]> {
    const prefix = linesPrefix(file)
    const batch = this.#batch
    if (batch === undefined || compareBytes(batch.key(batch.count - 1), prefix) < 0) return this.#readAfresh(prefix)
    const slice = sliceOf(batch, prefix)
    return slice.to < batch.count ? [slice] : this.#readOn(prefix, [slice])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scan?.return(undefined)
  }

  /** Begins a scan at the file: what lies between need not be read. */
  async #readAfresh(prefix: Uint8Array): Promise<Slice[]> {
    await this.#scan?.return(undefined)
    this.#scan = this.#entries.scan({ gte: prefix, lt: this.#end })
    return this.#readOn(prefix, [])
  }

  async #readOn(prefix: Uint8Array, slices: Slice[]): Promise<Slice[]> {
    for (;;) {
      const next = await this.#scan?.next()
      this.#batch = next?.done === false ? next.value : undefined
      if (this.#batch === undefined) return slices
      const slice = sliceOf(this.#batch, prefix)
      slices.push(slice)
      if (slice.to < this.#batch.count) return slices
    }
  }
}

function sliceOf(batch: EntryBatch, prefix: Uint8Array): Slice {
  const { lt } = prefixRange(prefix)
  return { batch, from: batch.lowerBound(prefix), to: lt === undefined ? batch.count : batch.lowerBound(lt) }
}

/** Hands a file's entries to a walk. */
export function walkSlices(slices: readonly Slice[], walk: StateWalk): void {
  for (const { batch, from, to } of slices) walk.push(batch, from, to, FILE_PREFIX_BYTES)
}
